-- compatible-from: 5
-- Certificates of devices: which key got which, and how they stand. A serial number is drawn before the signer is asked, so that
-- one issuance has one number however often it is tried. Times are microseconds; a certificate is DER, empty until it was signed.
-- enrollment_id and group_id are those of the statement under which it was given: under another one it counts no more.
CREATE TABLE device_certificates (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  serial_number BLOB NOT NULL,
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  group_id TEXT,
  kind TEXT NOT NULL,
  protection TEXT NOT NULL,
  state TEXT NOT NULL,
  door TEXT NOT NULL,
  key_sha256 BLOB NOT NULL,
  public_key BLOB NOT NULL,
  ek_name BLOB NOT NULL,
  hardware_serial BLOB NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  confirm_by INTEGER,
  reason INTEGER,
  is_late INTEGER NOT NULL,
  certificate BLOB NOT NULL,
  PRIMARY KEY (scope_id, serial_number)
) STRICT;
CREATE UNIQUE INDEX device_certificates_by_serial ON device_certificates (serial_number);
CREATE INDEX device_certificates_of_registration ON device_certificates (scope_id, registration_id, created_at, serial_number);
CREATE INDEX device_certificates_of_key ON device_certificates (scope_id, key_sha256, created_at);
CREATE INDEX device_certificates_changed ON device_certificates (scope_id, changed_at, serial_number) WHERE state <> 'issuing';
CREATE INDEX device_certificates_not_good ON device_certificates (scope_id, serial_number) WHERE state IN ('inactive', 'held', 'revoked');
CREATE INDEX device_certificates_inactive ON device_certificates (scope_id, registration_id) WHERE state = 'inactive';
CREATE INDEX device_certificates_held ON device_certificates (scope_id, registration_id) WHERE state = 'held';
CREATE INDEX device_certificates_compromised ON device_certificates (scope_id, key_sha256) WHERE reason = 1;
CREATE INDEX device_certificates_unconfirmed ON device_certificates (scope_id, confirm_by) WHERE confirm_by IS NOT NULL;

-- Keys that a device's TPM proved to hold.
CREATE TABLE device_keys (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  key_sha256 BLOB NOT NULL,
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  group_id TEXT,
  kind TEXT NOT NULL,
  public_key BLOB NOT NULL,
  ek_name BLOB NOT NULL,
  ak_name BLOB NOT NULL,
  nonce_at INTEGER NOT NULL,
  proven_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, key_sha256)
) STRICT;
CREATE INDEX device_keys_of_registration ON device_keys (scope_id, registration_id, nonce_at);

-- What a device shows that has nothing else yet, once. Sealed under the envelope key.
CREATE TABLE device_secrets (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  reference TEXT NOT NULL,
  registration_id TEXT NOT NULL,
  enrollment_id BLOB NOT NULL,
  group_id TEXT,
  sealed_secret BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  spent_for TEXT NOT NULL,
  PRIMARY KEY (scope_id, reference)
) STRICT;
CREATE UNIQUE INDEX device_secrets_by_reference ON device_secrets (reference);
CREATE INDEX device_secrets_expiring ON device_secrets (scope_id, expires_at);
