-- compatible-from: 5
-- The spelling of a device's registration ID that its key is derived from, in a symmetric-key group. Empty: that of registration_id.
ALTER TABLE devices ADD COLUMN key_derived_for TEXT COLLATE "C" NOT NULL DEFAULT '';
