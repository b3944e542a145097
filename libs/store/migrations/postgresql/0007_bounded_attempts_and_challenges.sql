-- compatible-from: 5
-- One row tells of several requests alike, and those of IDs that are not enrolled have a share of their own: strangers make
-- them up.
ALTER TABLE attempts ADD COLUMN peer_network TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN occurrences BIGINT NOT NULL DEFAULT 1;
ALTER TABLE attempts ADD COLUMN first_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN is_enrolled BIGINT NOT NULL DEFAULT 1;

CREATE INDEX attempts_by_enrolled ON attempts (scope_id, is_enrolled, at);

-- Who asked for a challenge, and whether for the keys that the device had when it was assigned last: by that it is told
-- which challenge makes room for which.
ALTER TABLE challenges ADD COLUMN peer_network TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE challenges ADD COLUMN has_known_keys BIGINT NOT NULL DEFAULT 0;
