-- compatible-from: 4
-- From here on the first line of each step says which version a program must know at least to work with the schema that
-- the step leaves: nodes are replaced one by one, and for a while the old ones meet the new schema. The steps before had
-- no such promise: each is for programs that know it.
ALTER TABLE schema_migrations ADD COLUMN compatible_from INTEGER NOT NULL DEFAULT 0;
UPDATE schema_migrations SET compatible_from = version;

-- Outstanding challenges, where several nodes share them. Not synced, not audited, soon gone; strangers ask for them, so
-- a row refers to nothing.
CREATE TABLE challenges (
  scope_id TEXT NOT NULL,
  registration_id TEXT NOT NULL,
  challenge_id BLOB NOT NULL,
  enrollment_id BLOB NOT NULL,
  sealed_key BLOB NOT NULL,
  ek_name BLOB NOT NULL,
  ek_public BLOB NOT NULL,
  srk_name BLOB NOT NULL,
  srk_public BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, registration_id, challenge_id)
) STRICT;

CREATE INDEX challenges_by_expiry ON challenges (expires_at);
