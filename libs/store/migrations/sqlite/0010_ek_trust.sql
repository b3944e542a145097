-- compatible-from: 5
-- Who may certify endorsement keys, and the EK certificates that came with EKs. Digests are SHA-256; authorities are found by the
-- digests of their names, upwards from a certificate and downwards from an authority that is distrusted.
CREATE TABLE ek_authorities (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  sha256 BLOB NOT NULL,
  subject_sha256 BLOB NOT NULL,
  issuer_sha256 BLOB NOT NULL,
  key_sha256 BLOB NOT NULL,
  role TEXT NOT NULL,
  vendors TEXT NOT NULL,
  certificate BLOB NOT NULL,
  distrusted_since INTEGER,
  distrust_reason TEXT,
  imported_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, sha256)
) STRICT;
CREATE INDEX ek_authorities_named ON ek_authorities (scope_id, subject_sha256, sha256);
CREATE INDEX ek_authorities_issued_by ON ek_authorities (scope_id, issuer_sha256, sha256);
CREATE INDEX ek_authorities_of_key ON ek_authorities (scope_id, key_sha256, sha256);

-- One row for each series: a newer list takes the place of an older one.
CREATE TABLE ek_crls (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  series_sha256 BLOB NOT NULL,
  sha256 BLOB NOT NULL,
  issuer_sha256 BLOB NOT NULL,
  issuer TEXT NOT NULL,
  entries INTEGER NOT NULL,
  is_partial INTEGER NOT NULL,
  this_update INTEGER NOT NULL,
  next_update INTEGER,
  imported_at INTEGER NOT NULL,
  list BLOB NOT NULL,
  PRIMARY KEY (scope_id, series_sha256)
) STRICT;
CREATE INDEX ek_crls_of_issuer ON ek_crls (scope_id, issuer_sha256, series_sha256);

CREATE TABLE ek_certificates (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  ek_name BLOB NOT NULL,
  sha256 BLOB NOT NULL,
  issuer_sha256 BLOB NOT NULL,
  certificate BLOB NOT NULL,
  stored_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, ek_name)
) STRICT;
CREATE INDEX ek_certificates_of_issuer ON ek_certificates (scope_id, issuer_sha256, ek_name);
