-- compatible-from: 5
-- Enrollments of every mechanism, groups, and what operators are told. credential: by mechanism the TPM2B_PUBLIC of the EK, a
-- certificate in DER, or a sealed key. Lists of host names are separated by spaces; JSON is opaque text.
CREATE TABLE enrollments_new (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  mechanism TEXT COLLATE "C" NOT NULL,
  primary_credential BYTEA NOT NULL,
  secondary_credential BYTEA,
  ek_name BYTEA,
  device_id TEXT COLLATE "C",
  enabled BIGINT NOT NULL,
  reprovision TEXT COLLATE "C",
  allocation TEXT COLLATE "C",
  hubs TEXT COLLATE "C" NOT NULL,
  approve_srk_changes BIGINT NOT NULL,
  allow_software_keys BIGINT NOT NULL,
  iot_edge BIGINT NOT NULL,
  initial_twin TEXT COLLATE "C",
  custom_allocation TEXT COLLATE "C",
  device_information TEXT COLLATE "C",
  revision BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, registration_id)
);
INSERT INTO enrollments_new (scope_id, registration_id, enrollment_id, mechanism, primary_credential, ek_name, enabled, hubs,
  approve_srk_changes, allow_software_keys, iot_edge, revision, created_at, updated_at)
  SELECT scope_id, registration_id, enrollment_id, 'tpm', ek_public, ek_name, 1, '', 0, allow_software_keys, 0, enrollment_id,
  created_at, created_at FROM enrollments;
DROP TABLE enrollments;
ALTER TABLE enrollments_new RENAME TO enrollments;
CREATE INDEX enrollments_of_ek ON enrollments (scope_id, ek_name, registration_id) WHERE ek_name IS NOT NULL;

CREATE TABLE enrollment_groups (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  group_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  mechanism TEXT COLLATE "C" NOT NULL,
  primary_credential BYTEA,
  secondary_credential BYTEA,
  naming TEXT COLLATE "C",
  enabled BIGINT NOT NULL,
  reprovision TEXT COLLATE "C",
  allocation TEXT COLLATE "C",
  hubs TEXT COLLATE "C" NOT NULL,
  approve_srk_changes BIGINT NOT NULL,
  allow_software_keys BIGINT NOT NULL,
  iot_edge BIGINT NOT NULL,
  initial_twin TEXT COLLATE "C",
  custom_allocation TEXT COLLATE "C",
  device_information TEXT COLLATE "C",
  revision BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, group_id)
);
CREATE INDEX enrollment_groups_of_mechanism ON enrollment_groups (scope_id, mechanism, group_id);

-- enrollment_id is that of the group that listed the EK: a group that is gone leaves them to be removed later, a few at a time.
CREATE TABLE group_eks (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  ek_name BYTEA NOT NULL,
  ek_public BYTEA NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  registration_id TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, ek_name)
);
CREATE INDEX group_eks_of_group ON group_eks (scope_id, group_id, ek_name);
CREATE UNIQUE INDEX group_eks_bound ON group_eks (scope_id, registration_id) WHERE registration_id IS NOT NULL;

CREATE TABLE removed_groups (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  enrollment_id BYTEA NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope_id, enrollment_id)
);

ALTER TABLE devices ADD COLUMN group_id TEXT COLLATE "C";
ALTER TABLE devices ADD COLUMN mechanism TEXT COLLATE "C" NOT NULL DEFAULT 'tpm';
ALTER TABLE devices ADD COLUMN certificate_sha256 BYTEA;
CREATE UNIQUE INDEX devices_of_registration ON devices (scope_id, registration_id);
CREATE INDEX devices_of_ek ON devices (scope_id, ek_name);
CREATE INDEX devices_of_group ON devices (scope_id, group_id, device_id) WHERE group_id IS NOT NULL;

CREATE TABLE operations_new (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  operation_id BYTEA NOT NULL,
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  group_id TEXT COLLATE "C",
  mechanism TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  substatus TEXT COLLATE "C" NOT NULL,
  challenge_id BYTEA,
  sealed_challenge_key BYTEA NOT NULL,
  ek_name BYTEA NOT NULL,
  srk_public BYTEA NOT NULL,
  token_digest BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (scope_id, operation_id),
  UNIQUE (scope_id, challenge_id)
);
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
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  srk_name BYTEA NOT NULL,
  replaced_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, registration_id, srk_name)
);

CREATE TABLE approvals (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  ek_name BYTEA NOT NULL,
  srk_name BYTEA NOT NULL,
  requested_at BIGINT NOT NULL,
  approved_at BIGINT,
  PRIMARY KEY (scope_id, registration_id)
);

CREATE TABLE alerts (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  detail TEXT COLLATE "C" NOT NULL,
  occurrences BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  acknowledged_at BIGINT,
  PRIMARY KEY (scope_id, registration_id, kind, subject)
);

CREATE TABLE attempts (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  tracking_id BYTEA NOT NULL,
  at BIGINT NOT NULL,
  peer_address TEXT COLLATE "C" NOT NULL,
  stage TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  message TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope_id, registration_id, tracking_id)
);
CREATE INDEX attempts_by_age ON attempts (scope_id, at);
