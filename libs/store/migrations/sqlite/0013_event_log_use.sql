-- compatible-from: 5
-- Who refers to a boot log, so that one that nobody refers to any more is found.
CREATE INDEX boot_event_logs_stored ON boot_event_logs (scope_id, stored_at);
CREATE INDEX attestation_ledgers_event_log ON attestation_ledgers (scope_id, event_log_sha256);
CREATE INDEX attestation_evidence_event_log ON attestation_evidence (scope_id, event_log_sha256);
