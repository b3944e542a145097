-- compatible-from: 5
-- Who is told of what happens, and what waits to be told (the outbox): an event is written in the transaction of the fact, once for
-- each webhook that wants it. Times are microseconds. event_types: names with a space between; empty: all.
CREATE TABLE webhooks (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  name TEXT COLLATE "C" NOT NULL,
  url TEXT COLLATE "C" NOT NULL,
  event_types TEXT COLLATE "C" NOT NULL,
  ca_pem TEXT COLLATE "C" NOT NULL,
  sealed_secret BYTEA NOT NULL,
  sealed_previous_secret BYTEA,
  previous_until BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, name)
);

-- Written with every delivery, and so apart from what is read with every event. lease_node delivers until lease_until.
CREATE TABLE webhook_progress (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  name TEXT COLLATE "C" NOT NULL,
  resume_at BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  failing_since BIGINT,
  is_given_up BIGINT NOT NULL,
  last_success_at BIGINT,
  last_failure_at BIGINT,
  last_failure TEXT COLLATE "C" NOT NULL,
  delivered BIGINT NOT NULL,
  dropped BIGINT NOT NULL,
  lease_node BYTEA,
  lease_until BIGINT NOT NULL,
  PRIMARY KEY (scope_id, name)
);

-- event_id is of version 7: its order is that of the events.
CREATE TABLE webhook_deliveries (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  name TEXT COLLATE "C" NOT NULL,
  event_id BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope_id, name, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (scope_id, name, due_at, event_id);
