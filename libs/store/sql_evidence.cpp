#include "store/sql_records.h"
#include "store/sql_verifier.h"

namespace warifu::store {
namespace {

using verifier::EvidenceInfo;
using verifier::KeptEvidence;

#define EVIDENCE_COLUMNS                                                                            \
  "scope_id, registration_id, number, at, why, ak_name, nonce, quote, signature, register_values, " \
  "event_log_sha256, userspace_log, ima_offset, ima, result, policy_target, policy_revision"

constexpr Sql kList =
    "SELECT number, at, why, result FROM attestation_evidence WHERE scope_id = ? AND registration_id = ? AND "
    "number < ? ORDER BY number DESC LIMIT ?";
constexpr Sql kFind =
    "SELECT " EVIDENCE_COLUMNS " FROM attestation_evidence WHERE scope_id = ? AND registration_id = ? AND number = ?";
constexpr Sql kFindWhole = "SELECT " EVIDENCE_COLUMNS
                           " FROM attestation_evidence WHERE scope_id = ? AND registration_id = ? AND ima_offset = 0 "
                           "ORDER BY number DESC LIMIT 1";
constexpr Sql kLast =
    "SELECT number FROM attestation_evidence WHERE scope_id = ? AND registration_id = ? ORDER BY number DESC LIMIT 1";
constexpr Sql kInsert = "INSERT INTO attestation_evidence (" EVIDENCE_COLUMNS
                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kRemoveOld =
    "DELETE FROM attestation_evidence WHERE scope_id = ? AND registration_id = ? AND number <= ?";

#undef EVIDENCE_COLUMNS

Result<std::int64_t> to_number(Row row) {
  return row.next<std::int64_t>();
}

Result<EvidenceInfo> to_info(Row row) {
  TRY(const auto number, row.next<std::int64_t>());
  TRY(const auto at, row.next<Timestamp>());
  TRY(const auto why, read_name(row, verifier::parse_keeping, "attestation_evidence.why"));
  TRY(auto result, row.next<std::string>());
  return EvidenceInfo{number, at, why, std::move(result)};
}

Result<KeptEvidence> to_evidence(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto id, row.next<RegistrationId>());
  KeptEvidence kept{.scope = std::move(scope), .registration_id = std::move(id)};
  TRY(kept.number, row.next<std::int64_t>());
  TRY(kept.at, row.next<Timestamp>());
  TRY(kept.why, read_name(row, verifier::parse_keeping, "attestation_evidence.why"));
  TRY(kept.ak_name, row.next<Bytes>());
  TRY(kept.nonce, row.next<Bytes>());
  TRY(kept.quote, row.next<Bytes>());
  TRY(kept.signature, row.next<Bytes>());
  TRY(kept.registers, row.next<std::string>());
  TRY(kept.event_log_sha256, row.next<Bytes>());
  TRY(kept.userspace_log, row.next<Bytes>());
  TRY(const auto offset, row.next<std::int64_t>());
  kept.ima_offset = static_cast<std::uint64_t>(offset);
  TRY(kept.ima, row.next<Bytes>());
  TRY(kept.result, row.next<std::string>());
  TRY(auto target, row.next<std::optional<std::string>>());
  TRY(const auto revision, row.next<std::optional<Uuid>>());
  if (target && revision) kept.policy = verifier::AppliedPolicy{*std::move(target), *revision};
  return kept;
}

}  // namespace

Result<std::vector<EvidenceInfo>> SqlVerifierRecords::list_evidence(const ScopeId& scope, const RegistrationId& id,
                                                                    std::int64_t before, std::size_t limit) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope, id, before, limit_of(limit));
  return read_all(query, to_info);
}

Result<std::optional<KeptEvidence>> SqlVerifierRecords::find_whole_evidence(const ScopeId& scope,
                                                                            const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFindWhole));
  query.bind(scope, id);
  return read_one(query, to_evidence);
}

Result<std::optional<KeptEvidence>> SqlVerifierRecords::find_evidence(const ScopeId& scope, const RegistrationId& id,
                                                                      std::int64_t number) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, id, number);
  return read_one(query, to_evidence);
}

Status SqlVerifierRecords::keep_evidence(const KeptEvidence& kept, std::size_t kept_max) {
  std::int64_t number = 1;
  {
    TRY(auto last, connection_.prepare(kLast));
    last.bind(kept.scope, kept.registration_id);
    TRY(const auto found, read_one(last, to_number));
    if (found) number = *found + 1;
  }
  std::optional<std::string> target;
  std::optional<Uuid> revision;
  if (kept.policy) {
    target = kept.policy->target;
    revision = kept.policy->revision;
  }
  const auto offset = static_cast<std::int64_t>(kept.ima_offset);
  {
    TRY(auto query, connection_.prepare(kInsert));
    query.bind(kept.scope, kept.registration_id, number, kept.at, to_string(kept.why), kept.ak_name, kept.nonce,
               kept.quote, kept.signature, kept.registers, kept.event_log_sha256, kept.userspace_log, offset, kept.ima,
               kept.result, target, revision);
    TRY_STATUS(run_unaudited(query));
  }
  TRY(auto query, connection_.prepare(kRemoveOld));
  query.bind(kept.scope, kept.registration_id, number - static_cast<std::int64_t>(kept_max));
  return run_unaudited(query);
}

}  // namespace warifu::store
