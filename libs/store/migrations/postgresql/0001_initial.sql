-- The same tables as in sqlite/, which says why they are so. Text is compared by its bytes, as SQLite does: the order of
-- pages must not depend on how the database was made.

CREATE TABLE scopes (
  scope_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  organisation TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE enrollments (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  ek_public BYTEA NOT NULL,
  ek_name BYTEA NOT NULL,
  allow_software_keys BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
);

CREATE INDEX enrollments_of_ek ON enrollments (scope_id, ek_name, registration_id);

CREATE TABLE devices (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  device_id TEXT COLLATE "C" NOT NULL,
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  operation_id BYTEA NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  hold TEXT COLLATE "C" NOT NULL,
  ek_name BYTEA NOT NULL,
  srk_name BYTEA NOT NULL,
  assigned_hub TEXT COLLATE "C" NOT NULL,
  sealed_hub_key BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, device_id)
);

CREATE TABLE operations (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  operation_id BYTEA NOT NULL,
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  challenge_id BYTEA NOT NULL,
  sealed_challenge_key BYTEA NOT NULL,
  token_digest BYTEA NOT NULL,
  srk_public BYTEA NOT NULL,
  first_assignment BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (scope_id, operation_id),
  UNIQUE (scope_id, challenge_id)
);

CREATE INDEX operations_of_registration ON operations (scope_id, registration_id);
CREATE INDEX operations_by_age ON operations (scope_id, created_at);

CREATE TABLE bootstrap_tokens (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  digest BYTEA NOT NULL UNIQUE,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (scope_id, digest)
);

CREATE TABLE access_tokens (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  token_id BYTEA NOT NULL,
  digest BYTEA NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  permissions TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, token_id)
);

CREATE TABLE service_keys (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  name TEXT COLLATE "C" NOT NULL,
  sealed_key BYTEA NOT NULL,
  permissions TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, name)
);

-- Only ever inserted into. The key is ordered by time, so the newest entry of a scope is its last.
CREATE TABLE audit_entries (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  audit_id BYTEA NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  detail TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope_id, audit_id)
);
