-- compatible-from: 5
-- What an operator demands of a device's attestation before it is assigned ('warning', 'affirming'; NULL: nothing), and after how many seconds
-- it is to attest again (NULL: the server's interval). An older program keeps both as they are, and demands nothing: demand it when all nodes
-- know it.
ALTER TABLE enrollments ADD COLUMN required_attestation TEXT DEFAULT NULL;
ALTER TABLE enrollments ADD COLUMN attestation_interval INTEGER DEFAULT NULL;
ALTER TABLE enrollment_groups ADD COLUMN required_attestation TEXT DEFAULT NULL;
ALTER TABLE enrollment_groups ADD COLUMN attestation_interval INTEGER DEFAULT NULL;

-- Devices have intervals of their own: each is missed two of them after it was due.
CREATE INDEX attestation_ledgers_silent ON attestation_ledgers (scope_id, (3 * next_due_at - 2 * attested_at), registration_id);
