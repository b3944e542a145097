-- compatible-from: 5
-- Live attestation: which AK a TPM proved, and what its evidence was worth. A ledger is one row for each registration, and moves
-- forward only: `revision` counts what was taken. Times are microseconds.
CREATE TABLE attestation_keys (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  ek_name BLOB NOT NULL,
  ak_name BLOB NOT NULL,
  ak_public BLOB NOT NULL,
  bound_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
) STRICT;

-- firmware_version is the TPM's number of 64 bits, as 8 bytes; a clock of 64 bits likewise.
CREATE TABLE attestation_ledgers (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  ak_name BLOB NOT NULL,
  revision INTEGER NOT NULL,
  clock_ms BLOB NOT NULL,
  reset_count INTEGER NOT NULL,
  restart_count INTEGER NOT NULL,
  is_safe INTEGER NOT NULL,
  firmware_version BLOB NOT NULL,
  nonce_at INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  null_name BLOB,
  event_log_sha256 BLOB NOT NULL,
  ima_offset INTEGER NOT NULL,
  ima_entries INTEGER NOT NULL,
  ima_worst TEXT NOT NULL,
  overall TEXT NOT NULL,
  policy_target TEXT,
  policy_revision BLOB,
  attested_at INTEGER NOT NULL,
  next_due_at INTEGER NOT NULL,
  passes INTEGER NOT NULL,
  ima_replay BLOB,
  result TEXT NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
) STRICT;
CREATE INDEX attestation_ledgers_due ON attestation_ledgers (scope_id, next_due_at);

-- Boot logs as they came, each once.
CREATE TABLE boot_event_logs (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  sha256 BLOB NOT NULL,
  content BLOB NOT NULL,
  stored_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, sha256)
) STRICT;

-- Evidence that was kept whole. `number` counts for each registration; the oldest go.
CREATE TABLE attestation_evidence (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  why TEXT NOT NULL,
  ak_name BLOB NOT NULL,
  nonce BLOB NOT NULL,
  quote BLOB NOT NULL,
  signature BLOB NOT NULL,
  register_values TEXT NOT NULL,
  event_log_sha256 BLOB NOT NULL,
  userspace_log BLOB NOT NULL,
  ima_offset INTEGER NOT NULL,
  ima BLOB NOT NULL,
  result TEXT NOT NULL,
  policy_target TEXT,
  policy_revision BLOB,
  PRIMARY KEY (scope_id, registration_id, number)
) STRICT;

-- What evidence is judged by. target: "default", "group/ID", "enrollment/ID".
CREATE TABLE evidence_policies (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  target TEXT NOT NULL,
  revision BLOB NOT NULL,
  mode TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (scope_id, target)
) STRICT;
