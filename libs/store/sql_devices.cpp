#include <fmt/format.h>

#include "store/sql_provisioning.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::Device;
using provisioning::Page;

#define DEVICE_COLUMNS                                                                                             \
  "scope_id, device_id, registration_id, enrollment_id, group_id, mechanism, operation_id, state, hold, ek_name, " \
  "srk_name, certificate_sha256, assigned_hub, sealed_hub_key, created_at, updated_at, key_derived_for"

constexpr Sql kFind = "SELECT " DEVICE_COLUMNS " FROM devices WHERE scope_id = ? AND device_id = ?";
constexpr Sql kFindOf = "SELECT " DEVICE_COLUMNS " FROM devices WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kList =
    "SELECT " DEVICE_COLUMNS " FROM devices WHERE scope_id = ? AND device_id > ? ORDER BY device_id LIMIT ?";
constexpr Sql kListOfGroup = "SELECT " DEVICE_COLUMNS
                             " FROM devices WHERE scope_id = ? AND group_id = ? AND device_id > ? "
                             "ORDER BY device_id LIMIT ?";
constexpr Sql kFindOfEk =
    "SELECT registration_id FROM devices WHERE scope_id = ? AND ek_name = ? ORDER BY registration_id LIMIT ?";
constexpr Sql kPut =
    "INSERT INTO devices (" DEVICE_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (scope_id, device_id) DO UPDATE SET registration_id = excluded.registration_id, "
    "enrollment_id = excluded.enrollment_id, group_id = excluded.group_id, mechanism = excluded.mechanism, "
    "operation_id = excluded.operation_id, state = excluded.state, hold = excluded.hold, ek_name = excluded.ek_name, "
    "srk_name = excluded.srk_name, certificate_sha256 = excluded.certificate_sha256, "
    "assigned_hub = excluded.assigned_hub, sealed_hub_key = excluded.sealed_hub_key, "
    "updated_at = excluded.updated_at, key_derived_for = excluded.key_derived_for";

#undef DEVICE_COLUMNS

constexpr Sql kFindReplacedSrk =
    "SELECT 1 FROM replaced_srks WHERE scope_id = ? AND registration_id = ? AND srk_name = ?";
constexpr Sql kNoteReplacedSrk =
    "INSERT INTO replaced_srks (scope_id, registration_id, srk_name, replaced_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (scope_id, registration_id, srk_name) DO UPDATE SET replaced_at = excluded.replaced_at";

Result<Device> to_device(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto device_id, row.next<DeviceId>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto group, row.next<std::optional<GroupId>>());
  TRY(const auto mechanism, read_name(row, provisioning::parse_mechanism, "devices.mechanism"));
  TRY(const auto operation_id, row.next<Uuid>());
  TRY(const auto state, read_name(row, lifecycle::parse_state, "devices.state"));
  TRY(const auto hold, read_name(row, lifecycle::parse_hold, "devices.hold"));
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto srk_name, row.next<Bytes>());
  TRY(auto certificate_sha256, row.next<std::optional<Bytes>>());
  TRY(auto assigned_hub, row.next<std::string>());
  TRY(auto sealed_hub_key, row.next<Bytes>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto updated_at, row.next<Timestamp>());
  TRY(auto key_derived_for, row.next<std::string>());
  return Device{.scope = std::move(scope),
                .device_id = std::move(device_id),
                .registration_id = std::move(registration_id),
                .enrollment_id = enrollment_id,
                .group = std::move(group),
                .mechanism = mechanism,
                .operation_id = operation_id,
                .standing = {state, hold},
                .ek_name = std::move(ek_name),
                .srk_name = std::move(srk_name),
                .certificate_sha256 = certificate_sha256 ? *std::move(certificate_sha256) : Bytes(),
                .assigned_hub = std::move(assigned_hub),
                .sealed_hub_key = std::move(sealed_hub_key),
                .key_derived_for = std::move(key_derived_for),
                .created_at = created_at,
                .updated_at = updated_at};
}

Result<RegistrationId> to_registration_id(Row row) {
  return row.next<RegistrationId>();
}

}  // namespace

Result<std::optional<Device>> SqlProvisioningRecords::find_device(const ScopeId& scope, const DeviceId& id) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, id);
  return read_one(query, to_device);
}

Result<std::optional<Device>> SqlProvisioningRecords::find_device_of(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFindOf));
  query.bind(scope, id);
  return read_one(query, to_device);
}

Result<std::vector<Device>> SqlProvisioningRecords::list_devices(const ScopeId& scope, const Page<DeviceId>& page) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_device);
}

Result<std::vector<Device>> SqlProvisioningRecords::list_devices_of_group(const ScopeId& scope, const GroupId& group,
                                                                          const Page<DeviceId>& page) {
  TRY(auto query, connection_.prepare(kListOfGroup));
  query.bind(scope, group, after(page), limit_of(page.limit));
  return read_all(query, to_device);
}

Result<std::vector<RegistrationId>> SqlProvisioningRecords::find_devices_of_ek(const ScopeId& scope, ByteView ek_name,
                                                                               std::size_t limit) {
  TRY(auto query, connection_.prepare(kFindOfEk));
  query.bind(scope, ek_name, limit_of(limit));
  return read_all(query, to_registration_id);
}

Result<bool> SqlProvisioningRecords::was_srk_replaced(const ScopeId& scope, const RegistrationId& id,
                                                      ByteView srk_name) {
  TRY(auto query, connection_.prepare(kFindReplacedSrk));
  query.bind(scope, id, srk_name);
  return query.step();
}

Status SqlProvisioningRecords::put_device(const Device& device) {
  const std::optional<ByteView> certificate =
      device.certificate_sha256.empty() ? std::nullopt : std::optional(ByteView(device.certificate_sha256));
  TRY(auto query, connection_.prepare(kPut));
  query.bind(device.scope, device.device_id, device.registration_id, device.enrollment_id, device.group,
             to_string(device.mechanism), device.operation_id, lifecycle::to_string(device.standing.state),
             lifecycle::to_string(device.standing.hold), device.ek_name, device.srk_name, certificate,
             device.assigned_hub, device.sealed_hub_key, device.created_at, device.updated_at, device.key_derived_for);
  return name_conflict(query.run(), "device.registration", "a device of the registration",
                       device.registration_id.text());
}

Status SqlProvisioningRecords::note_replaced_srk(const ScopeId& scope, const RegistrationId& id, ByteView srk_name,
                                                 Timestamp at) {
  TRY(auto query, connection_.prepare(kNoteReplacedSrk));
  query.bind(scope, id, srk_name, at);
  return query.run();
}

}  // namespace warifu::store
