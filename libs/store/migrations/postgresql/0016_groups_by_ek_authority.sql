-- compatible-from: 5
-- TPM groups by authorities for EKs: fingerprints of imported authorities, separated by spaces. Their naming has a column of its
-- own: an older program that finds neither list nor naming takes such a group for damaged, and lets no device in by it.
ALTER TABLE enrollment_groups ADD COLUMN ek_authorities TEXT COLLATE "C";
ALTER TABLE enrollment_groups ADD COLUMN authority_naming TEXT COLLATE "C";
ALTER TABLE enrollment_groups ADD COLUMN approve_uncertified BIGINT NOT NULL DEFAULT 0;
CREATE INDEX enrollment_groups_of_authorities ON enrollment_groups (scope_id, group_id) WHERE ek_authorities IS NOT NULL;

-- An EK of such a group that an operator approved, as it had no certificate; and one that he keeps out.
ALTER TABLE group_eks ADD COLUMN is_approved BIGINT NOT NULL DEFAULT 0;
ALTER TABLE group_eks ADD COLUMN is_barred BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN ek_public BYTEA;
ALTER TABLE operations ADD COLUMN is_uncertified BIGINT NOT NULL DEFAULT 0;
ALTER TABLE approvals ADD COLUMN group_id TEXT COLLATE "C";
ALTER TABLE approvals ADD COLUMN enrollment_id BYTEA;
ALTER TABLE approvals ADD COLUMN is_uncertified BIGINT NOT NULL DEFAULT 0;
ALTER TABLE approvals ADD COLUMN ek_public BYTEA;
CREATE INDEX operations_waiting_of_ek ON operations (scope_id, ek_name) WHERE state = 'waiting' AND ended_at IS NULL;
CREATE INDEX approvals_of_group ON approvals (scope_id, enrollment_id, ek_name);
CREATE INDEX approvals_uncertified ON approvals (scope_id, enrollment_id) WHERE is_uncertified = 1;

-- Authorities that came with an EK certificate, DER, one after another; and whom they name as their issuers, so that a distrust
-- further up finds the certificate.
ALTER TABLE ek_certificates ADD COLUMN intermediates BYTEA;
CREATE TABLE ek_certificate_issuers (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  issuer_sha256 BYTEA NOT NULL,
  ek_name BYTEA NOT NULL,
  PRIMARY KEY (scope_id, issuer_sha256, ek_name)
);
CREATE INDEX ek_certificate_issuers_of_ek ON ek_certificate_issuers (scope_id, ek_name);
