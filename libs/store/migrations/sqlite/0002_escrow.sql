-- What devices leave encrypted for their operator. Only ever inserted into: a later package replaces none. The number counts for each
-- device, because clocks go backwards. The same package twice is one row.
CREATE TABLE escrow_deposits (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  device_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  ek_name BLOB NOT NULL,
  package BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, device_id, number),
  UNIQUE (scope_id, device_id, sha256),
  FOREIGN KEY (scope_id, device_id) REFERENCES devices (scope_id, device_id)
) STRICT;
