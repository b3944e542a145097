#include "store/sql_provisioning.h"

#include <fmt/format.h>

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::Device;
using provisioning::Enrollment;
using provisioning::EscrowDeposit;
using provisioning::Operation;
using provisioning::Page;

// The columns of each record, in the order in which its to_…() reads and its insert binds them.
#define ENROLLMENT_COLUMNS \
  "scope_id, registration_id, enrollment_id, ek_public, ek_name, allow_software_keys, created_at"
#define DEVICE_COLUMNS                                                                                                \
  "scope_id, device_id, registration_id, enrollment_id, operation_id, state, hold, ek_name, srk_name, assigned_hub, " \
  "sealed_hub_key, created_at, updated_at"
#define OPERATION_COLUMNS                                                                                      \
  "scope_id, operation_id, registration_id, enrollment_id, challenge_id, sealed_challenge_key, token_digest, " \
  "srk_public, "                                                                                               \
  "first_assignment, created_at, ended_at"
#define ESCROW_COLUMNS "scope_id, device_id, number, sha256, ek_name, package, received_at"

constexpr Sql kListScopes = "SELECT scope_id FROM scopes ORDER BY scope_id";
constexpr Sql kFindScope = "SELECT 1 FROM scopes WHERE scope_id = ?";
constexpr Sql kInsertScope = "INSERT INTO scopes (scope_id, organisation, created_at) VALUES (?, ?, ?)";

constexpr Sql kFindEnrollment =
    "SELECT " ENROLLMENT_COLUMNS " FROM enrollments WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kListEnrollments = "SELECT " ENROLLMENT_COLUMNS
                                 " FROM enrollments WHERE scope_id = ? AND registration_id > ? "
                                 "ORDER BY registration_id LIMIT ?";
constexpr Sql kFindEnrollmentsOfEk =
    "SELECT registration_id FROM enrollments WHERE scope_id = ? AND ek_name = ? ORDER BY registration_id LIMIT ?";
constexpr Sql kInsertEnrollment = "INSERT INTO enrollments (" ENROLLMENT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kRemoveEnrollment = "DELETE FROM enrollments WHERE scope_id = ? AND registration_id = ?";

constexpr Sql kFindDevice = "SELECT " DEVICE_COLUMNS " FROM devices WHERE scope_id = ? AND device_id = ?";
constexpr Sql kListDevices =
    "SELECT " DEVICE_COLUMNS " FROM devices WHERE scope_id = ? AND device_id > ? ORDER BY device_id LIMIT ?";
constexpr Sql kPutDevice =
    "INSERT INTO devices (" DEVICE_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (scope_id, device_id) DO UPDATE SET registration_id = excluded.registration_id, "
    "enrollment_id = excluded.enrollment_id, operation_id = excluded.operation_id, "
    "state = excluded.state, hold = excluded.hold, ek_name = excluded.ek_name, "
    "srk_name = excluded.srk_name, assigned_hub = excluded.assigned_hub, "
    "sealed_hub_key = excluded.sealed_hub_key, updated_at = excluded.updated_at";

constexpr Sql kFindOperation = "SELECT " OPERATION_COLUMNS " FROM operations WHERE scope_id = ? AND operation_id = ?";
constexpr Sql kFindOperationOfChallenge =
    "SELECT " OPERATION_COLUMNS " FROM operations WHERE scope_id = ? AND challenge_id = ?";
constexpr Sql kInsertOperation =
    "INSERT INTO operations (" OPERATION_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kEndOperation =
    "UPDATE operations SET ended_at = ? WHERE scope_id = ? AND operation_id = ? AND ended_at IS NULL";
constexpr Sql kEndOperations =
    "UPDATE operations SET ended_at = ? WHERE scope_id = ? AND registration_id = ? AND ended_at IS NULL";
constexpr Sql kPurgeOperations =
    "DELETE FROM operations WHERE (scope_id, operation_id) IN (SELECT scope_id, operation_id FROM operations "
    "WHERE scope_id = ? AND created_at < ? ORDER BY created_at LIMIT ?)";

constexpr Sql kListEscrowDeposits =
    "SELECT " ESCROW_COLUMNS " FROM escrow_deposits WHERE scope_id = ? AND device_id = ? ORDER BY number";
constexpr Sql kInsertEscrowDeposit = "INSERT INTO escrow_deposits (" ESCROW_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";

#undef ENROLLMENT_COLUMNS
#undef DEVICE_COLUMNS
#undef OPERATION_COLUMNS
#undef ESCROW_COLUMNS

Result<ScopeId> to_scope(Row row) {
  return row.next<ScopeId>();
}

Result<Enrollment> to_enrollment(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto ek_public, row.next<Bytes>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(const auto allow_software_keys, row.next<bool>());
  TRY(const auto created_at, row.next<Timestamp>());
  return Enrollment{std::move(scope),   std::move(registration_id), enrollment_id, std::move(ek_public),
                    std::move(ek_name), allow_software_keys,        created_at};
}

Result<lifecycle::Standing> to_standing(std::string_view state_name, std::string_view hold_name) {
  const auto state = lifecycle::parse_state(state_name);
  if (!state) return Error{ErrorKind::kInternal, "store.corrupt", state.error().message, "devices.state"};
  const auto hold = lifecycle::parse_hold(hold_name);
  if (!hold) return Error{ErrorKind::kInternal, "store.corrupt", hold.error().message, "devices.hold"};
  return lifecycle::Standing{*state, *hold};
}

Result<Device> to_device(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto device_id, row.next<DeviceId>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(const auto operation_id, row.next<Uuid>());
  TRY(const auto state, row.next<std::string>());
  TRY(const auto hold, row.next<std::string>());
  TRY(const auto standing, to_standing(state, hold));
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto srk_name, row.next<Bytes>());
  TRY(auto assigned_hub, row.next<std::string>());
  TRY(auto sealed_hub_key, row.next<Bytes>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto updated_at, row.next<Timestamp>());
  return Device{std::move(scope),
                std::move(device_id),
                std::move(registration_id),
                enrollment_id,
                operation_id,
                standing,
                std::move(ek_name),
                std::move(srk_name),
                std::move(assigned_hub),
                std::move(sealed_hub_key),
                created_at,
                updated_at};
}

Result<Operation> to_operation(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(const auto operation_id, row.next<Uuid>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(const auto challenge_id, row.next<Uuid>());
  TRY(auto sealed_challenge_key, row.next<Bytes>());
  TRY(auto token_digest, row.next<Bytes>());
  TRY(auto srk_public, row.next<Bytes>());
  TRY(const auto first_assignment, row.next<bool>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto ended_at, row.next<std::optional<Timestamp>>());
  return Operation{std::move(scope),
                   operation_id,
                   std::move(registration_id),
                   enrollment_id,
                   challenge_id,
                   std::move(sealed_challenge_key),
                   std::move(token_digest),
                   std::move(srk_public),
                   first_assignment,
                   created_at,
                   ended_at};
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

Result<RegistrationId> to_registration_id(Row row) {
  return row.next<RegistrationId>();
}

// The keyset of a page: every key comes after the empty one.
template <class Key>
std::string_view after(const Page<Key>& page) {
  return page.after ? std::string_view(page.after->text()) : std::string_view();
}

std::int64_t limit_of(std::size_t limit) {
  return static_cast<std::int64_t>(limit);
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

Result<std::optional<Enrollment>> SqlProvisioningRecords::find_enrollment(const ScopeId& scope,
                                                                          const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFindEnrollment));
  query.bind(scope, id);
  return read_one(query, to_enrollment);
}

Result<std::vector<Enrollment>> SqlProvisioningRecords::list_enrollments(const ScopeId& scope,
                                                                         const Page<RegistrationId>& page) {
  TRY(auto query, connection_.prepare(kListEnrollments));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_enrollment);
}

Result<std::vector<RegistrationId>> SqlProvisioningRecords::find_enrollments_of_ek(const ScopeId& scope,
                                                                                   ByteView ek_name,
                                                                                   std::size_t limit) {
  TRY(auto query, connection_.prepare(kFindEnrollmentsOfEk));
  query.bind(scope, ek_name, limit_of(limit));
  return read_all(query, to_registration_id);
}

Result<std::optional<Device>> SqlProvisioningRecords::find_device(const ScopeId& scope, const DeviceId& id) {
  TRY(auto query, connection_.prepare(kFindDevice));
  query.bind(scope, id);
  return read_one(query, to_device);
}

Result<std::vector<Device>> SqlProvisioningRecords::list_devices(const ScopeId& scope, const Page<DeviceId>& page) {
  TRY(auto query, connection_.prepare(kListDevices));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_device);
}

Result<std::optional<Operation>> SqlProvisioningRecords::find_operation(const ScopeId& scope,
                                                                        const Uuid& operation_id) {
  TRY(auto query, connection_.prepare(kFindOperation));
  query.bind(scope, operation_id);
  return read_one(query, to_operation);
}

Result<std::optional<Operation>> SqlProvisioningRecords::find_operation_of_challenge(const ScopeId& scope,
                                                                                     const Uuid& challenge_id) {
  TRY(auto query, connection_.prepare(kFindOperationOfChallenge));
  query.bind(scope, challenge_id);
  return read_one(query, to_operation);
}

Result<std::vector<EscrowDeposit>> SqlProvisioningRecords::list_escrow_deposits(const ScopeId& scope,
                                                                                const DeviceId& id) {
  TRY(auto query, connection_.prepare(kListEscrowDeposits));
  query.bind(scope, id);
  return read_all(query, to_escrow_deposit);
}

Status SqlProvisioningRecords::insert_scope(const ScopeId& scope, const std::string& organisation, Timestamp at) {
  TRY(auto query, connection_.prepare(kInsertScope));
  query.bind(scope, organisation, at);
  return name_conflict(query.run(), "scope.exists", "the ID scope", scope.text());
}

Status SqlProvisioningRecords::insert_enrollment(const Enrollment& enrollment) {
  TRY(auto query, connection_.prepare(kInsertEnrollment));
  query.bind(enrollment.scope, enrollment.registration_id, enrollment.enrollment_id, enrollment.ek_public,
             enrollment.ek_name, enrollment.allow_software_keys, enrollment.created_at);
  return name_conflict(query.run(), "enrollment.exists", "an enrollment of", enrollment.registration_id.text());
}

Status SqlProvisioningRecords::remove_enrollment(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kRemoveEnrollment));
  query.bind(scope, id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return Error{ErrorKind::kNotFound, "enrollment.unknown", fmt::format("{} is not enrolled", id.text())};
}

Status SqlProvisioningRecords::insert_operation(const Operation& operation) {
  TRY(auto query, connection_.prepare(kInsertOperation));
  query.bind(operation.scope, operation.operation_id, operation.registration_id, operation.enrollment_id,
             operation.challenge_id, operation.sealed_challenge_key, operation.token_digest, operation.srk_public,
             operation.first_assignment, operation.created_at, operation.ended_at);
  return name_conflict(query.run(), "operation.exists", "an operation of this challenge of",
                       operation.registration_id.text());
}

Status SqlProvisioningRecords::end_operation(const ScopeId& scope, const Uuid& operation_id, Timestamp at) {
  TRY(auto query, connection_.prepare(kEndOperation));
  query.bind(at, scope, operation_id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  TRY(const auto operation, find_operation(scope, operation_id));
  if (operation) return {};
  return Error{ErrorKind::kNotFound, "operation.unknown", fmt::format("no operation {}", operation_id.text())};
}

Status SqlProvisioningRecords::end_operations(const ScopeId& scope, const RegistrationId& id, Timestamp at) {
  TRY(auto query, connection_.prepare(kEndOperations));
  query.bind(at, scope, id);
  return query.run();
}

Status SqlProvisioningRecords::put_device(const Device& device) {
  TRY(auto query, connection_.prepare(kPutDevice));
  query.bind(device.scope, device.device_id, device.registration_id, device.enrollment_id, device.operation_id,
             lifecycle::to_string(device.standing.state), lifecycle::to_string(device.standing.hold), device.ek_name,
             device.srk_name, device.assigned_hub, device.sealed_hub_key, device.created_at, device.updated_at);
  return query.run();
}

Status SqlProvisioningRecords::insert_escrow_deposit(const EscrowDeposit& deposit) {
  TRY(auto query, connection_.prepare(kInsertEscrowDeposit));
  query.bind(deposit.scope, deposit.device_id, static_cast<std::int64_t>(deposit.number), deposit.sha256,
             deposit.ek_name, deposit.package, deposit.received_at);
  return name_conflict(query.run(), "escrow.exists", "this escrow package of", deposit.device_id.text());
}

Result<std::size_t> SqlProvisioningRecords::purge_operations(const ScopeId& scope, Timestamp before,
                                                             std::size_t limit) {
  TRY(auto query, connection_.prepare(kPurgeOperations));
  query.bind(scope, before, limit_of(limit));
  TRY_STATUS(query.run());
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace warifu::store
