-- compatible-from: 5
-- Certificates of devices: which key got which, and how they stand. A serial number is drawn before the signer is asked, so that
-- one issuance has one number however often it is tried. Times are microseconds; a certificate is DER, empty until it was signed.
-- enrollment_id and group_id are those of the statement under which it was given: under another one it counts no more.
CREATE TABLE device_certificates (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  serial_number BYTEA NOT NULL,
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  group_id TEXT COLLATE "C",
  kind TEXT COLLATE "C" NOT NULL,
  protection TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  door TEXT COLLATE "C" NOT NULL,
  key_sha256 BYTEA NOT NULL,
  public_key BYTEA NOT NULL,
  ek_name BYTEA NOT NULL,
  hardware_serial BYTEA NOT NULL,
  not_before BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  confirm_by BIGINT,
  reason BIGINT,
  is_late BIGINT NOT NULL,
  certificate BYTEA NOT NULL,
  PRIMARY KEY (scope_id, serial_number)
);
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
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  key_sha256 BYTEA NOT NULL,
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  group_id TEXT COLLATE "C",
  kind TEXT COLLATE "C" NOT NULL,
  public_key BYTEA NOT NULL,
  ek_name BYTEA NOT NULL,
  ak_name BYTEA NOT NULL,
  nonce_at BIGINT NOT NULL,
  proven_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, key_sha256)
);
CREATE INDEX device_keys_of_registration ON device_keys (scope_id, registration_id, nonce_at);

-- What a device shows that has nothing else yet, once. Sealed under the envelope key.
CREATE TABLE device_secrets (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  reference TEXT COLLATE "C" NOT NULL,
  registration_id TEXT COLLATE "C" NOT NULL,
  enrollment_id BYTEA NOT NULL,
  group_id TEXT COLLATE "C",
  sealed_secret BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  spent_for TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope_id, reference)
);
CREATE UNIQUE INDEX device_secrets_by_reference ON device_secrets (reference);
CREATE INDEX device_secrets_expiring ON device_secrets (scope_id, expires_at);
