-- compatible-from: 5
-- Who is told of what happens, and what waits to be told (the outbox): an event is written in the transaction of the fact, once for
-- each webhook that wants it. Times are microseconds. event_types: names with a space between; empty: all.
CREATE TABLE webhooks (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  event_types TEXT NOT NULL,
  ca_pem TEXT NOT NULL,
  sealed_secret BLOB NOT NULL,
  sealed_previous_secret BLOB,
  previous_until INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, name)
) STRICT;

-- Written with every delivery, and so apart from what is read with every event. lease_node delivers until lease_until.
CREATE TABLE webhook_progress (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  name TEXT NOT NULL,
  resume_at INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  failing_since INTEGER,
  is_given_up INTEGER NOT NULL,
  last_success_at INTEGER,
  last_failure_at INTEGER,
  last_failure TEXT NOT NULL,
  delivered INTEGER NOT NULL,
  dropped INTEGER NOT NULL,
  lease_node BLOB,
  lease_until INTEGER NOT NULL,
  PRIMARY KEY (scope_id, name)
) STRICT;

-- event_id is of version 7: its order is that of the events.
CREATE TABLE webhook_deliveries (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  name TEXT NOT NULL,
  event_id BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (scope_id, name, event_id)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (scope_id, name, due_at, event_id);
