-- compatible-from: 5
-- Signed data that judges TPMs and machines, one of each kind. Older nodes judge by what came with them.
CREATE TABLE data_packages (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  kind TEXT COLLATE "C" NOT NULL,
  revision BYTEA NOT NULL,
  sha256 BYTEA NOT NULL,
  key_sha256 BYTEA NOT NULL,
  put_at BIGINT NOT NULL,
  signature BYTEA NOT NULL,
  public_key TEXT COLLATE "C" NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (scope_id, kind)
);
-- Whether the firmware version of the last quote is a true one. Older nodes leave it as it is: the Name of another AK
-- does not fit it.
ALTER TABLE attestation_ledgers ADD COLUMN qualified_signer BYTEA NOT NULL DEFAULT ''::bytea;
