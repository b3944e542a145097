#include "store/sql_verifier.h"

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using verifier::BoundAk;
using verifier::PolicyInfo;
using verifier::StoredPolicy;

#define AK_COLUMNS "scope_id, registration_id, ek_name, ak_name, ak_public, bound_at"
#define INFO_COLUMNS "target, revision, mode, created_at, updated_at"
#define POLICY_COLUMNS "scope_id, document, " INFO_COLUMNS

constexpr Sql kFindAk = "SELECT " AK_COLUMNS " FROM attestation_keys WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kPutAk =
    "INSERT INTO attestation_keys (" AK_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, registration_id) DO UPDATE SET ek_name = excluded.ek_name, "
    "ak_name = excluded.ak_name, ak_public = excluded.ak_public, bound_at = excluded.bound_at";

constexpr Sql kRemoveAk = "DELETE FROM attestation_keys WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kRemoveEvidence = "DELETE FROM attestation_evidence WHERE scope_id = ? AND registration_id = ?";

constexpr Sql kFindPolicy = "SELECT " POLICY_COLUMNS " FROM evidence_policies WHERE scope_id = ? AND target = ?";
constexpr Sql kFindInfo = "SELECT " INFO_COLUMNS " FROM evidence_policies WHERE scope_id = ? AND target = ?";
constexpr Sql kListPolicies =
    "SELECT " INFO_COLUMNS " FROM evidence_policies WHERE scope_id = ? AND target > ? ORDER BY target LIMIT ?";
constexpr Sql kPutPolicy =
    "INSERT INTO evidence_policies (" POLICY_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, target) DO UPDATE SET revision = excluded.revision, "
    "document = excluded.document, mode = excluded.mode, updated_at = excluded.updated_at";
constexpr Sql kRemovePolicy = "DELETE FROM evidence_policies WHERE scope_id = ? AND target = ?";

#undef AK_COLUMNS
#undef POLICY_COLUMNS
#undef INFO_COLUMNS

Result<BoundAk> to_ak(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto id, row.next<RegistrationId>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto ak_name, row.next<Bytes>());
  TRY(auto ak_public, row.next<Bytes>());
  TRY(const auto bound_at, row.next<Timestamp>());
  return BoundAk{std::move(scope),   std::move(id),        std::move(ek_name),
                 std::move(ak_name), std::move(ak_public), bound_at};
}

Result<PolicyInfo> next_info(Row& row) {
  TRY(auto target, row.next<std::string>());
  TRY(const auto revision, row.next<Uuid>());
  TRY(const auto mode, read_name(row, verifier::parse_policy_mode, "evidence_policies.mode"));
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto updated_at, row.next<Timestamp>());
  return PolicyInfo{std::move(target), revision, mode, created_at, updated_at};
}

Result<PolicyInfo> to_info(Row row) {
  return next_info(row);
}

Result<StoredPolicy> to_policy(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto document, row.next<std::string>());
  TRY(auto info, next_info(row));
  return StoredPolicy{std::move(scope), std::move(info), std::move(document)};
}

}  // namespace

Status SqlVerifierRecords::run_unaudited(Query& query) {
  TRY_STATUS(query.run());
  unaudited_rows_ += connection_.changes();
  return {};
}

Result<std::optional<BoundAk>> SqlVerifierRecords::find_ak(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFindAk));
  query.bind(scope, id);
  return read_one(query, to_ak);
}

Status SqlVerifierRecords::put_ak(const BoundAk& ak) {
  TRY(auto query, connection_.prepare(kPutAk));
  query.bind(ak.scope, ak.registration_id, ak.ek_name, ak.ak_name, ak.ak_public, ak.bound_at);
  return query.run();
}

Status SqlVerifierRecords::remove_attester(const ScopeId& scope, const RegistrationId& id) {
  for (const Sql& sql : {kRemoveAk, kRemoveEvidence}) {
    TRY(auto query, connection_.prepare(sql));
    query.bind(scope, id);
    TRY_STATUS(query.run());
  }
  return remove_ledger(scope, id);
}

Result<std::optional<PolicyInfo>> SqlVerifierRecords::find_policy_info(const ScopeId& scope, std::string_view target) {
  TRY(auto query, connection_.prepare(kFindInfo));
  query.bind(scope, target);
  return read_one(query, to_info);
}

Result<std::optional<StoredPolicy>> SqlVerifierRecords::find_policy(const ScopeId& scope, std::string_view target) {
  TRY(auto query, connection_.prepare(kFindPolicy));
  query.bind(scope, target);
  return read_one(query, to_policy);
}

Result<std::vector<PolicyInfo>> SqlVerifierRecords::list_policies(const ScopeId& scope, const verifier::Page& page) {
  TRY(auto query, connection_.prepare(kListPolicies));
  query.bind(scope, page.after, limit_of(page.limit));
  return read_all(query, to_info);
}

Status SqlVerifierRecords::put_policy(const StoredPolicy& policy) {
  TRY(auto query, connection_.prepare(kPutPolicy));
  const PolicyInfo& info = policy.info;
  query.bind(policy.scope, policy.document, info.target, info.revision, to_string(info.mode), info.created_at,
             info.updated_at);
  return query.run();
}

Status SqlVerifierRecords::remove_policy(const ScopeId& scope, std::string_view target) {
  TRY(auto query, connection_.prepare(kRemovePolicy));
  query.bind(scope, target);
  return query.run();
}

}  // namespace warifu::store
