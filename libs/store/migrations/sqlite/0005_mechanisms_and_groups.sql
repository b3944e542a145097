-- compatible-from: 5
-- Enrollments of every mechanism, groups, and what operators are told. credential: by mechanism the TPM2B_PUBLIC of the EK, a
-- certificate in DER, or a sealed key. Lists of host names are separated by spaces; JSON is opaque text.
CREATE TABLE enrollments_new (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  mechanism TEXT NOT NULL,
  primary_credential BLOB NOT NULL,
  secondary_credential BLOB,
  ek_name BLOB,
  device_id TEXT,
  enabled INTEGER NOT NULL,
  reprovision TEXT,
  allocation TEXT,
  hubs TEXT NOT NULL,
  approve_srk_changes INTEGER NOT NULL,
  allow_software_keys INTEGER NOT NULL,
  iot_edge INTEGER NOT NULL,
  initial_twin TEXT,
  custom_allocation TEXT,
  device_information TEXT,
  revision BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
) STRICT;
INSERT INTO enrollments_new (scope_id, registration_id, enrollment_id, mechanism, primary_credential, ek_name, enabled, hubs,
  approve_srk_changes, allow_software_keys, iot_edge, revision, created_at, updated_at)
  SELECT scope_id, registration_id, enrollment_id, 'tpm', ek_public, ek_name, 1, '', 0, allow_software_keys, 0, enrollment_id,
  created_at, created_at FROM enrollments;
DROP TABLE enrollments;
ALTER TABLE enrollments_new RENAME TO enrollments;
CREATE INDEX enrollments_of_ek ON enrollments (scope_id, ek_name, registration_id) WHERE ek_name IS NOT NULL;

CREATE TABLE enrollment_groups (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  group_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  mechanism TEXT NOT NULL,
  primary_credential BLOB,
  secondary_credential BLOB,
  naming TEXT,
  enabled INTEGER NOT NULL,
  reprovision TEXT,
  allocation TEXT,
  hubs TEXT NOT NULL,
  approve_srk_changes INTEGER NOT NULL,
  allow_software_keys INTEGER NOT NULL,
  iot_edge INTEGER NOT NULL,
  initial_twin TEXT,
  custom_allocation TEXT,
  device_information TEXT,
  revision BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, group_id)
) STRICT;
CREATE INDEX enrollment_groups_of_mechanism ON enrollment_groups (scope_id, mechanism, group_id);

-- enrollment_id is that of the group that listed the EK: a group that is gone leaves them to be removed later, a few at a time.
CREATE TABLE group_eks (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  ek_name BLOB NOT NULL,
  ek_public BLOB NOT NULL,
  group_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  registration_id TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, ek_name)
) STRICT;
CREATE INDEX group_eks_of_group ON group_eks (scope_id, group_id, ek_name);
CREATE UNIQUE INDEX group_eks_bound ON group_eks (scope_id, registration_id) WHERE registration_id IS NOT NULL;

CREATE TABLE removed_groups (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  enrollment_id BLOB NOT NULL,
  group_id TEXT NOT NULL,
  PRIMARY KEY (scope_id, enrollment_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE devices ADD COLUMN group_id TEXT;
ALTER TABLE devices ADD COLUMN mechanism TEXT NOT NULL DEFAULT 'tpm';
ALTER TABLE devices ADD COLUMN certificate_sha256 BLOB;
CREATE UNIQUE INDEX devices_of_registration ON devices (scope_id, registration_id);
CREATE INDEX devices_of_ek ON devices (scope_id, ek_name);
CREATE INDEX devices_of_group ON devices (scope_id, group_id, device_id) WHERE group_id IS NOT NULL;

CREATE TABLE operations_new (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  operation_id BLOB NOT NULL,
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  group_id TEXT,
  mechanism TEXT NOT NULL,
  state TEXT NOT NULL,
  substatus TEXT NOT NULL,
  challenge_id BLOB,
  sealed_challenge_key BLOB NOT NULL,
  ek_name BLOB NOT NULL,
  srk_public BLOB NOT NULL,
  token_digest BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (scope_id, operation_id),
  UNIQUE (scope_id, challenge_id)
) STRICT;
INSERT INTO operations_new (scope_id, operation_id, registration_id, enrollment_id, mechanism, state, substatus, challenge_id,
  sealed_challenge_key, ek_name, srk_public, token_digest, created_at, ended_at)
  SELECT o.scope_id, o.operation_id, o.registration_id, o.enrollment_id, 'tpm', 'assigned',
  CASE WHEN o.first_assignment = 1 THEN 'initialAssignment' ELSE 'deviceDataMigrated' END, o.challenge_id, o.sealed_challenge_key,
  d.ek_name, o.srk_public, o.token_digest, o.created_at, o.ended_at
  FROM operations o JOIN devices d ON d.scope_id = o.scope_id AND d.registration_id = o.registration_id;
DROP TABLE operations;
ALTER TABLE operations_new RENAME TO operations;
CREATE INDEX operations_open ON operations (scope_id, registration_id) WHERE ended_at IS NULL;
CREATE INDEX operations_by_age ON operations (scope_id, created_at);

CREATE TABLE replaced_srks (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  srk_name BLOB NOT NULL,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, registration_id, srk_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  ek_name BLOB NOT NULL,
  srk_name BLOB NOT NULL,
  requested_at INTEGER NOT NULL,
  approved_at INTEGER,
  PRIMARY KEY (scope_id, registration_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  occurrences INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  PRIMARY KEY (scope_id, registration_id, kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  tracking_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  peer_address TEXT NOT NULL,
  stage TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (scope_id, registration_id, tracking_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_age ON attempts (scope_id, at);
