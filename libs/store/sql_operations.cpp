#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "store/sql_provisioning.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::Operation;
using provisioning::Substatus;

#define OPERATION_COLUMNS                                                                                    \
  "scope_id, operation_id, registration_id, enrollment_id, group_id, mechanism, state, substatus, "          \
  "challenge_id, sealed_challenge_key, ek_name, srk_public, token_digest, created_at, ended_at, ek_public, " \
  "is_uncertified"

constexpr Sql kFind = "SELECT " OPERATION_COLUMNS " FROM operations WHERE scope_id = ? AND operation_id = ?";
constexpr Sql kFindOfChallenge = "SELECT " OPERATION_COLUMNS " FROM operations WHERE scope_id = ? AND challenge_id = ?";
// Few, and sorted here: a database that is asked for an order looks through all operations of the scope by their age.
constexpr Sql kListOpen = "SELECT " OPERATION_COLUMNS
                          " FROM operations WHERE scope_id = ? AND registration_id = ? AND state = ? AND ended_at IS "
                          "NULL";
constexpr Sql kListWaiting =
    "SELECT registration_id FROM operations WHERE scope_id = ? AND registration_id > ? AND state = 'waiting' AND "
    "ended_at IS NULL GROUP BY registration_id ORDER BY registration_id LIMIT ?";
constexpr Sql kInsert =
    "INSERT INTO operations (" OPERATION_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kAssign =
    "UPDATE operations SET state = 'assigned', substatus = ? WHERE scope_id = ? AND operation_id = ?";
constexpr Sql kEnd = "UPDATE operations SET ended_at = ? WHERE scope_id = ? AND operation_id = ? AND ended_at IS NULL";
constexpr Sql kEndOfRegistration =
    "UPDATE operations SET ended_at = ? WHERE scope_id = ? AND registration_id = ? AND ended_at IS NULL";
constexpr Sql kEndWaitingOfEk =
    "UPDATE operations SET ended_at = ? WHERE scope_id = ? AND ek_name = ? AND enrollment_id = ? AND state = 'waiting' "
    "AND ended_at IS NULL";
constexpr Sql kPurge =
    "DELETE FROM operations WHERE (scope_id, operation_id) IN (SELECT scope_id, operation_id FROM operations "
    "WHERE scope_id = ? AND created_at < ? ORDER BY created_at LIMIT ?)";

#undef OPERATION_COLUMNS

constexpr std::array kStates = {std::pair{Operation::State::kAssigned, std::string_view("assigned")},
                                std::pair{Operation::State::kWaiting, std::string_view("waiting")}};
// As DPS writes them.
constexpr std::array kSubstatuses = {std::pair{Substatus::kInitialAssignment, std::string_view("initialAssignment")},
                                     std::pair{Substatus::kDeviceDataMigrated, std::string_view("deviceDataMigrated")},
                                     std::pair{Substatus::kDeviceDataReset, std::string_view("deviceDataReset")}};

template <class Table, class Value>
std::string_view name_of(const Table& table, Value value) {
  for (const auto& [candidate, name] : table)
    if (candidate == value) return name;
  return {};
}

template <class Value, class Table>
Result<Value> value_of(const Table& table, std::string_view text) {
  for (const auto& [value, name] : table)
    if (name == text) return value;
  return invalid_input("store.name", fmt::format("\"{}\" was never written", text));
}

Result<Operation::State> parse_state(std::string_view text) {
  return value_of<Operation::State>(kStates, text);
}

Result<Substatus> parse_substatus(std::string_view text) {
  return value_of<Substatus>(kSubstatuses, text);
}

Result<Operation> to_operation(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(const auto operation_id, row.next<Uuid>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto group, row.next<std::optional<GroupId>>());
  TRY(const auto mechanism, read_name(row, provisioning::parse_mechanism, "operations.mechanism"));
  TRY(const auto state, read_name(row, parse_state, "operations.state"));
  TRY(const auto substatus, read_name(row, parse_substatus, "operations.substatus"));
  TRY(const auto challenge_id, row.next<std::optional<Uuid>>());
  TRY(auto sealed_challenge_key, row.next<Bytes>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto srk_public, row.next<Bytes>());
  TRY(auto token_digest, row.next<Bytes>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto ended_at, row.next<std::optional<Timestamp>>());
  TRY(auto ek_public, row.next<std::optional<Bytes>>());
  TRY(const auto is_uncertified, row.next<bool>());
  return Operation{.scope = std::move(scope),
                   .operation_id = operation_id,
                   .registration_id = std::move(registration_id),
                   .enrollment_id = enrollment_id,
                   .group = std::move(group),
                   .mechanism = mechanism,
                   .state = state,
                   .substatus = substatus,
                   .challenge_id = challenge_id,
                   .sealed_challenge_key = std::move(sealed_challenge_key),
                   .ek_name = std::move(ek_name),
                   .srk_public = std::move(srk_public),
                   .token_digest = std::move(token_digest),
                   .created_at = created_at,
                   .ended_at = ended_at,
                   .ek_public = std::move(ek_public).value_or(Bytes()),
                   .is_uncertified = is_uncertified};
}

Result<RegistrationId> to_waiting(Row row) {
  return row.next<RegistrationId>();
}

Error unknown_operation(const Uuid& id) {
  return {ErrorKind::kNotFound, "operation.unknown", fmt::format("no operation {}", id.text())};
}

}  // namespace

Result<std::optional<Operation>> SqlProvisioningRecords::find_operation(const ScopeId& scope,
                                                                        const Uuid& operation_id) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, operation_id);
  return read_one(query, to_operation);
}

Result<std::optional<Operation>> SqlProvisioningRecords::find_operation_of_challenge(const ScopeId& scope,
                                                                                     const Uuid& challenge_id) {
  TRY(auto query, connection_.prepare(kFindOfChallenge));
  query.bind(scope, challenge_id);
  return read_one(query, to_operation);
}

Result<std::vector<Operation>> SqlProvisioningRecords::list_open_operations(const ScopeId& scope,
                                                                            const RegistrationId& id,
                                                                            Operation::State state) {
  TRY(auto query, connection_.prepare(kListOpen));
  query.bind(scope, id, name_of(kStates, state));
  TRY(auto open, read_all(query, to_operation));
  std::ranges::sort(open, [](const Operation& a, const Operation& b) {
    return std::tie(a.created_at, a.operation_id) > std::tie(b.created_at, b.operation_id);
  });
  return open;
}

Result<std::optional<Operation>> SqlProvisioningRecords::find_open_operation(const ScopeId& scope,
                                                                             const RegistrationId& id,
                                                                             Operation::State state) {
  TRY(auto open, list_open_operations(scope, id, state));
  return open.empty() ? std::optional<Operation>() : std::optional(std::move(open.front()));
}

Result<std::vector<Operation>> SqlProvisioningRecords::list_waiting_operations(const ScopeId& scope,
                                                                               const RegistrationId& id) {
  return list_open_operations(scope, id, Operation::State::kWaiting);
}

Result<std::vector<RegistrationId>> SqlProvisioningRecords::list_waiting_registrations(
    const ScopeId& scope, const provisioning::Page<RegistrationId>& page) {
  TRY(auto query, connection_.prepare(kListWaiting));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_waiting);
}

Status SqlProvisioningRecords::insert_operation(const Operation& operation) {
  const auto ek_public = operation.ek_public.empty() ? std::nullopt : std::optional<ByteView>(operation.ek_public);
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(operation.scope, operation.operation_id, operation.registration_id, operation.enrollment_id,
             operation.group, to_string(operation.mechanism), name_of(kStates, operation.state),
             name_of(kSubstatuses, operation.substatus), operation.challenge_id, operation.sealed_challenge_key,
             operation.ek_name, operation.srk_public, operation.token_digest, operation.created_at, operation.ended_at,
             ek_public, operation.is_uncertified);
  return name_conflict(query.run(), "operation.exists", "an operation of this challenge of",
                       operation.registration_id.text());
}

Status SqlProvisioningRecords::assign_operation(const ScopeId& scope, const Uuid& operation_id, Substatus substatus) {
  TRY(auto query, connection_.prepare(kAssign));
  query.bind(name_of(kSubstatuses, substatus), scope, operation_id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return unknown_operation(operation_id);
}

Status SqlProvisioningRecords::end_operation(const ScopeId& scope, const Uuid& operation_id, Timestamp at) {
  TRY(auto query, connection_.prepare(kEnd));
  query.bind(at, scope, operation_id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  TRY(const auto operation, find_operation(scope, operation_id));
  if (operation) return {};
  return unknown_operation(operation_id);
}

Status SqlProvisioningRecords::end_operations(const ScopeId& scope, const RegistrationId& id, Timestamp at) {
  TRY(auto query, connection_.prepare(kEndOfRegistration));
  query.bind(at, scope, id);
  return query.run();
}

Status SqlProvisioningRecords::end_waiting_operations_of_ek(const ScopeId& scope, const Uuid& enrollment_id,
                                                            ByteView ek_name, Timestamp at) {
  TRY(auto query, connection_.prepare(kEndWaitingOfEk));
  query.bind(at, scope, ek_name, enrollment_id);
  return query.run();
}

Result<std::size_t> SqlProvisioningRecords::purge_operations(const ScopeId& scope, Timestamp before,
                                                             std::size_t limit) {
  TRY(auto query, connection_.prepare(kPurge));
  query.bind(scope, before, limit_of(limit));
  TRY_STATUS(query.run());
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace warifu::store
