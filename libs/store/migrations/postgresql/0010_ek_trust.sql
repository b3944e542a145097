-- compatible-from: 5
-- Who may certify endorsement keys, and the EK certificates that came with EKs. Digests are SHA-256; authorities are found by the
-- digests of their names, upwards from a certificate and downwards from an authority that is distrusted.
CREATE TABLE ek_authorities (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  sha256 BYTEA NOT NULL,
  subject_sha256 BYTEA NOT NULL,
  issuer_sha256 BYTEA NOT NULL,
  key_sha256 BYTEA NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  vendors TEXT COLLATE "C" NOT NULL,
  certificate BYTEA NOT NULL,
  distrusted_since BIGINT,
  distrust_reason TEXT COLLATE "C",
  imported_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, sha256)
);
CREATE INDEX ek_authorities_named ON ek_authorities (scope_id, subject_sha256, sha256);
CREATE INDEX ek_authorities_issued_by ON ek_authorities (scope_id, issuer_sha256, sha256);
CREATE INDEX ek_authorities_of_key ON ek_authorities (scope_id, key_sha256, sha256);

-- One row for each series: a newer list takes the place of an older one.
CREATE TABLE ek_crls (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  series_sha256 BYTEA NOT NULL,
  sha256 BYTEA NOT NULL,
  issuer_sha256 BYTEA NOT NULL,
  issuer TEXT COLLATE "C" NOT NULL,
  entries BIGINT NOT NULL,
  is_partial BIGINT NOT NULL,
  this_update BIGINT NOT NULL,
  next_update BIGINT,
  imported_at BIGINT NOT NULL,
  list BYTEA NOT NULL,
  PRIMARY KEY (scope_id, series_sha256)
);
CREATE INDEX ek_crls_of_issuer ON ek_crls (scope_id, issuer_sha256, series_sha256);

CREATE TABLE ek_certificates (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  ek_name BYTEA NOT NULL,
  sha256 BYTEA NOT NULL,
  issuer_sha256 BYTEA NOT NULL,
  certificate BYTEA NOT NULL,
  stored_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, ek_name)
);
CREATE INDEX ek_certificates_of_issuer ON ek_certificates (scope_id, issuer_sha256, ek_name);
