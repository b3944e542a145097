-- compatible-from: 5
-- Signed data that judges TPMs and machines, one of each kind. Older nodes judge by what came with them.
CREATE TABLE data_packages (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  kind TEXT NOT NULL,
  revision BLOB NOT NULL,
  sha256 BLOB NOT NULL,
  key_sha256 BLOB NOT NULL,
  put_at INTEGER NOT NULL,
  signature BLOB NOT NULL,
  public_key TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (scope_id, kind)
) STRICT;
-- Whether the firmware version of the last quote is a true one. Older nodes leave it as it is: the Name of another AK
-- does not fit it.
ALTER TABLE attestation_ledgers ADD COLUMN qualified_signer BLOB NOT NULL DEFAULT x'';
