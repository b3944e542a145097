-- compatible-from: 5
-- Keys that operators give to the applications of a device. A version is given once for each registration and name, also after the
-- enrollment under which it was given is gone, and for the TPM with that EK. A key is sealed under the envelope key, and empty once
-- it has ended. Times are microseconds.
CREATE TABLE application_keys (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  registration_id TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  enrollment_id BLOB NOT NULL,
  ek_name BLOB NOT NULL,
  state TEXT NOT NULL,
  capped_by INTEGER,
  sealed_key BLOB NOT NULL,
  srk_name BLOB NOT NULL,
  delivered_to BLOB NOT NULL,
  nonce_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  told_at INTEGER,
  delivery_noted_at INTEGER NOT NULL,
  acknowledgement_noted_at INTEGER NOT NULL,
  loss_noted_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, registration_id, name, version)
) STRICT;
CREATE INDEX application_keys_live ON application_keys (scope_id, registration_id) WHERE state IN ('pending', 'active');
