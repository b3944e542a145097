-- What devices leave encrypted for their operator. Only ever inserted into: a later package replaces none. The number counts for each
-- device, because clocks go backwards. The same package twice is one row.
CREATE TABLE escrow_deposits (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  device_id TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  ek_name BYTEA NOT NULL,
  package BYTEA NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (scope_id, device_id, number),
  UNIQUE (scope_id, device_id, sha256),
  FOREIGN KEY (scope_id, device_id) REFERENCES devices (scope_id, device_id)
);
