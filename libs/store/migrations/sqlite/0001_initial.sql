-- Every table is keyed by scope (tenant). Times are microseconds since 1970 in UTC, identifiers that we make are UUIDv7 (16 bytes),
-- booleans are 0 or 1, lists and JSON are opaque text. No triggers, sequences or generated columns: PostgreSQL and what speaks
-- like it must be able to hold the same tables.
--
-- Wide rows lie in the order of their arrival, and only the narrow index of their key is touched at random: that keeps inserting
-- fast when the keys no longer fit into memory. Narrow rows, and those that are only ever appended, are their own index (WITHOUT ROWID).

CREATE TABLE scopes (
  scope_id TEXT NOT NULL PRIMARY KEY,
  organisation TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE enrollments (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  ek_public BLOB NOT NULL,
  ek_name BLOB NOT NULL,
  allow_software_keys INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
) STRICT;

CREATE INDEX enrollments_of_ek ON enrollments (scope_id, ek_name, registration_id);

CREATE TABLE devices (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  device_id TEXT NOT NULL,
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  operation_id BLOB NOT NULL,
  state TEXT NOT NULL,
  hold TEXT NOT NULL,
  ek_name BLOB NOT NULL,
  srk_name BLOB NOT NULL,
  assigned_hub TEXT NOT NULL,
  sealed_hub_key BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, device_id)
) STRICT;

CREATE TABLE operations (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  operation_id BLOB NOT NULL,
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  challenge_id BLOB NOT NULL,
  sealed_challenge_key BLOB NOT NULL,
  token_digest BLOB NOT NULL,
  srk_public BLOB NOT NULL,
  first_assignment INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (scope_id, operation_id),
  UNIQUE (scope_id, challenge_id)
) STRICT;

CREATE INDEX operations_of_registration ON operations (scope_id, registration_id);
CREATE INDEX operations_by_age ON operations (scope_id, created_at);

CREATE TABLE bootstrap_tokens (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  digest BLOB NOT NULL UNIQUE,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (scope_id, digest)
) STRICT;

CREATE TABLE access_tokens (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  token_id BLOB NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, token_id)
) STRICT;

CREATE TABLE service_keys (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  name TEXT NOT NULL,
  sealed_key BLOB NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, name)
) STRICT;

-- Only ever inserted into. The key is ordered by time, so the newest entry of a scope is its last.
CREATE TABLE audit_entries (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  audit_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (scope_id, audit_id)
) STRICT, WITHOUT ROWID;
