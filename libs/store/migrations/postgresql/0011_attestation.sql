-- compatible-from: 5
-- Live attestation: which AK a TPM proved, and what its evidence was worth. A ledger is one row for each registration, and moves
-- forward only: `revision` counts what was taken. Times are microseconds.
CREATE TABLE attestation_keys (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  ek_name BYTEA NOT NULL,
  ak_name BYTEA NOT NULL,
  ak_public BYTEA NOT NULL,
  bound_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
);

-- firmware_version is the TPM's number of 64 bits, as 8 bytes; a clock of 64 bits likewise.
CREATE TABLE attestation_ledgers (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  ak_name BYTEA NOT NULL,
  revision BIGINT NOT NULL,
  clock_ms BYTEA NOT NULL,
  reset_count BIGINT NOT NULL,
  restart_count BIGINT NOT NULL,
  is_safe BIGINT NOT NULL,
  firmware_version BYTEA NOT NULL,
  nonce_at BIGINT NOT NULL,
  boot_id TEXT COLLATE "C" NOT NULL,
  null_name BYTEA,
  event_log_sha256 BYTEA NOT NULL,
  ima_offset BIGINT NOT NULL,
  ima_entries BIGINT NOT NULL,
  ima_worst TEXT COLLATE "C" NOT NULL,
  overall TEXT COLLATE "C" NOT NULL,
  policy_target TEXT COLLATE "C",
  policy_revision BYTEA,
  attested_at BIGINT NOT NULL,
  next_due_at BIGINT NOT NULL,
  passes BIGINT NOT NULL,
  ima_replay BYTEA,
  result TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
);
CREATE INDEX attestation_ledgers_due ON attestation_ledgers (scope_id, next_due_at);

-- Boot logs as they came, each once.
CREATE TABLE boot_event_logs (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  sha256 BYTEA NOT NULL,
  content BYTEA NOT NULL,
  stored_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, sha256)
);

-- Evidence that was kept whole. `number` counts for each registration; the oldest go.
CREATE TABLE attestation_evidence (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  ak_name BYTEA NOT NULL,
  nonce BYTEA NOT NULL,
  quote BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  register_values TEXT COLLATE "C" NOT NULL,
  event_log_sha256 BYTEA NOT NULL,
  userspace_log BYTEA NOT NULL,
  ima_offset BIGINT NOT NULL,
  ima BYTEA NOT NULL,
  result TEXT COLLATE "C" NOT NULL,
  policy_target TEXT COLLATE "C",
  policy_revision BYTEA,
  PRIMARY KEY (scope_id, registration_id, number)
);

-- What evidence is judged by. target: "default", "group/ID", "enrollment/ID".
CREATE TABLE evidence_policies (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  target TEXT COLLATE "C" NOT NULL,
  revision BYTEA NOT NULL,
  mode TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  document TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope_id, target)
);
