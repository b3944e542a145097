#include "store/sql_provisioning.h"

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::EscrowDeposit;

#define ESCROW_COLUMNS "scope_id, device_id, number, sha256, ek_name, package, received_at"

constexpr Sql kListScopes = "SELECT scope_id FROM scopes ORDER BY scope_id";
constexpr Sql kFindScope = "SELECT 1 FROM scopes WHERE scope_id = ?";
constexpr Sql kInsertScope = "INSERT INTO scopes (scope_id, organisation, created_at) VALUES (?, ?, ?)";

constexpr Sql kListEscrowDeposits =
    "SELECT " ESCROW_COLUMNS " FROM escrow_deposits WHERE scope_id = ? AND device_id = ? ORDER BY number";
constexpr Sql kInsertEscrowDeposit = "INSERT INTO escrow_deposits (" ESCROW_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";

#undef ESCROW_COLUMNS

Result<ScopeId> to_scope(Row row) {
  return row.next<ScopeId>();
}

Result<EscrowDeposit> to_escrow_deposit(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto device_id, row.next<DeviceId>());
  TRY(const auto number, row.next<std::int64_t>());
  TRY(auto sha256, row.next<Bytes>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto package, row.next<Bytes>());
  TRY(const auto received_at, row.next<Timestamp>());
  return EscrowDeposit{std::move(scope),  std::move(device_id), static_cast<std::uint32_t>(number),
                       std::move(sha256), std::move(ek_name),   std::move(package),
                       received_at};
}

}  // namespace

Result<std::vector<ScopeId>> SqlProvisioningRecords::list_scopes() {
  TRY(auto query, connection_.prepare(kListScopes));
  return read_all(query, to_scope);
}

Result<bool> SqlProvisioningRecords::scope_exists(const ScopeId& scope) {
  TRY(auto query, connection_.prepare(kFindScope));
  query.bind(scope);
  return query.step();
}

Status SqlProvisioningRecords::insert_scope(const ScopeId& scope, const std::string& organisation, Timestamp at) {
  TRY(auto query, connection_.prepare(kInsertScope));
  query.bind(scope, organisation, at);
  return name_conflict(query.run(), "scope.exists", "the ID scope", scope.text());
}

Result<std::vector<EscrowDeposit>> SqlProvisioningRecords::list_escrow_deposits(const ScopeId& scope,
                                                                                const DeviceId& id) {
  TRY(auto query, connection_.prepare(kListEscrowDeposits));
  query.bind(scope, id);
  return read_all(query, to_escrow_deposit);
}

Status SqlProvisioningRecords::insert_escrow_deposit(const EscrowDeposit& deposit) {
  TRY(auto query, connection_.prepare(kInsertEscrowDeposit));
  query.bind(deposit.scope, deposit.device_id, static_cast<std::int64_t>(deposit.number), deposit.sha256,
             deposit.ek_name, deposit.package, deposit.received_at);
  return name_conflict(query.run(), "escrow.exists", "this escrow package of", deposit.device_id.text());
}

}  // namespace warifu::store
