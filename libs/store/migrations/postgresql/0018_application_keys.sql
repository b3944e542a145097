-- compatible-from: 5
-- Keys that operators give to the applications of a device. A version is given once for each registration and name, also after the
-- enrollment under which it was given is gone, and for the TPM with that EK. A key is sealed under the envelope key, and empty once
-- it has ended. Times are microseconds.
CREATE TABLE application_keys (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  enrollment_id BYTEA NOT NULL,
  ek_name BYTEA NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  capped_by BIGINT,
  sealed_key BYTEA NOT NULL,
  srk_name BYTEA NOT NULL,
  delivered_to BYTEA NOT NULL,
  nonce_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  told_at BIGINT,
  delivery_noted_at BIGINT NOT NULL,
  acknowledgement_noted_at BIGINT NOT NULL,
  loss_noted_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, registration_id, name, version)
);
CREATE INDEX application_keys_live ON application_keys (scope_id, registration_id) WHERE state IN ('pending', 'active');
