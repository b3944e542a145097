#include "store/sql_device_ca.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

using crypto::SerialNumber;
using device_ca::DeviceCertificate;
using device_ca::Standing;

#define COLUMNS                                                                                        \
  "scope_id, serial_number, registration_id, enrollment_id, group_id, kind, protection, state, door, " \
  "key_sha256, public_key, ek_name, hardware_serial, not_before, not_after, created_at, changed_at, "  \
  "confirm_by, reason, is_late, certificate"
#define SELECT "SELECT " COLUMNS " FROM device_certificates WHERE "
#define STANDING "SELECT serial_number, state, reason, changed_at, not_after FROM device_certificates WHERE "

constexpr Sql kFind = SELECT "scope_id = ? AND serial_number = ?";
constexpr Sql kFindAnywhere = SELECT "serial_number = ?";
constexpr Sql kList = SELECT "scope_id = ? AND serial_number > ? ORDER BY serial_number LIMIT ?";
constexpr Sql kListOf = SELECT
    "scope_id = ? AND registration_id = ? AND created_at <= ? AND (created_at < ? OR serial_number < ?) "
    "ORDER BY created_at DESC, serial_number DESC LIMIT ?";
constexpr Sql kListOfKey = SELECT "scope_id = ? AND key_sha256 = ? ORDER BY created_at DESC LIMIT ?";
constexpr Sql kListUnconfirmed =
    SELECT "scope_id = ? AND confirm_by IS NOT NULL AND confirm_by < ? ORDER BY confirm_by LIMIT ?";
// The conditions of the partial indexes stand here word for word.
constexpr Sql kListStandings = STANDING
    "scope_id = ? AND state <> 'issuing' AND changed_at >= ? AND (changed_at > ? OR serial_number > ?) "
    "ORDER BY changed_at, serial_number LIMIT ?";
constexpr Sql kListNotGood = STANDING
    "scope_id = ? AND state IN ('inactive', 'held', 'revoked') AND serial_number > ? AND not_after > ? AND "
    "length(certificate) > 0 ORDER BY serial_number LIMIT ?";
constexpr Sql kHasInactive =
    "SELECT count(*) FROM (SELECT 1 FROM device_certificates WHERE scope_id = ? AND registration_id = ? AND state = "
    "'inactive' LIMIT 1) AS one";
constexpr Sql kHasHeld =
    "SELECT count(*) FROM (SELECT 1 FROM device_certificates WHERE scope_id = ? AND registration_id = ? AND state = "
    "'held' LIMIT 1) AS one";
static_assert(static_cast<int>(crypto::RevocationReason::kKeyCompromise) == 1);
constexpr Sql kHasCompromised =
    "SELECT count(*) FROM (SELECT 1 FROM device_certificates WHERE scope_id = ? AND key_sha256 = ? AND reason = 1 "
    "LIMIT 1) AS one";
constexpr Sql kInsert = "INSERT INTO device_certificates (" COLUMNS
                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kUpdate =
    "UPDATE device_certificates SET state = ?, reason = ?, confirm_by = ?, changed_at = ?, not_after = ?, certificate "
    "= "
    "? WHERE scope_id = ? AND serial_number = ?";

#undef COLUMNS
#undef SELECT
#undef STANDING

Result<SerialNumber> read_serial(Row& row) {
  TRY(const auto bytes, row.next<Bytes>());
  auto serial = SerialNumber::from_bytes(bytes);
  if (!serial)
    return Error{ErrorKind::kInternal, "store.corrupt", serial.error().message, "device_certificates.serial_number"};
  return *serial;
}

Status read_reason(Row& row, std::optional<crypto::RevocationReason>& reason) {
  TRY(const auto number, row.next<std::optional<std::int64_t>>());
  if (!number) return {};
  if (*number < 0 || !crypto::is_revocation_reason(static_cast<std::uint64_t>(*number)))
    return Error{ErrorKind::kInternal, "store.corrupt", "expected a reason of RFC 5280", "device_certificates.reason"};
  reason = static_cast<crypto::RevocationReason>(*number);
  // One that no device's certificate has would keep every list of what is revoked from being made.
  if (!device_ca::is_reason_for_a_device(*reason)) reason = crypto::RevocationReason::kUnspecified;
  return {};
}

std::optional<std::int64_t> to_column(const std::optional<crypto::RevocationReason>& reason) {
  return reason ? std::optional(static_cast<std::int64_t>(*reason)) : std::nullopt;
}

Result<DeviceCertificate> to_certificate(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(const auto serial, read_serial(row));
  TRY(auto id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto group, row.next<std::optional<GroupId>>());
  DeviceCertificate one{.scope = std::move(scope),
                        .serial = serial,
                        .registration_id = std::move(id),
                        .ground = {enrollment_id, std::move(group)}};
  TRY(one.identity, read_name(row, pki::parse_device_identity, "device_certificates.kind"));
  TRY(one.protection, read_name(row, pki::parse_key_protection, "device_certificates.protection"));
  TRY(one.state, read_name(row, device_ca::parse_state, "device_certificates.state"));
  TRY(one.door, read_name(row, device_ca::parse_door, "device_certificates.door"));
  TRY(one.key_sha256, row.next<Bytes>());
  TRY(one.public_key, row.next<Bytes>());
  TRY(one.ek_name, row.next<Bytes>());
  TRY(one.hardware_serial, row.next<Bytes>());
  TRY(one.not_before, row.next<Timestamp>());
  TRY(one.not_after, row.next<Timestamp>());
  TRY(one.created_at, row.next<Timestamp>());
  TRY(one.changed_at, row.next<Timestamp>());
  TRY(one.confirm_by, row.next<std::optional<Timestamp>>());
  TRY_STATUS(read_reason(row, one.reason));
  TRY(one.is_late, row.next<bool>());
  TRY(one.certificate, row.next<Bytes>());
  return one;
}

Result<Standing> to_standing(Row row) {
  TRY(const auto serial, read_serial(row));
  Standing one{.serial = serial};
  TRY(one.state, read_name(row, device_ca::parse_state, "device_certificates.state"));
  TRY_STATUS(read_reason(row, one.reason));
  TRY(one.changed_at, row.next<Timestamp>());
  TRY(one.not_after, row.next<Timestamp>());
  return one;
}

ByteView after(const device_ca::Page& page) {
  return page.after ? page.after->bytes() : ByteView();
}

}  // namespace

Result<std::optional<DeviceCertificate>> SqlDeviceCaRecords::find_certificate(const ScopeId& scope,
                                                                              const SerialNumber& serial) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, serial.bytes());
  return read_one(query, to_certificate);
}

Result<std::optional<DeviceCertificate>> SqlDeviceCaRecords::find_certificate_anywhere(const SerialNumber& serial) {
  TRY(auto query, connection_.prepare(kFindAnywhere));
  query.bind(serial.bytes());
  return read_one(query, to_certificate);
}

Result<std::vector<DeviceCertificate>> SqlDeviceCaRecords::list_certificates(const ScopeId& scope,
                                                                             const device_ca::Page& page) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_certificate);
}

Result<std::vector<DeviceCertificate>> SqlDeviceCaRecords::list_certificates_of(const ScopeId& scope,
                                                                                const RegistrationId& id,
                                                                                const device_ca::Page& page) {
  Timestamp from = Timestamp::max();
  if (page.after) {
    TRY(const auto last, find_certificate(scope, *page.after));
    if (last) from = last->created_at;
  }
  TRY(auto query, connection_.prepare(kListOf));
  query.bind(scope, id, from, from, after(page), limit_of(page.limit));
  return read_all(query, to_certificate);
}

Result<std::vector<DeviceCertificate>> SqlDeviceCaRecords::list_certificates_of_key(const ScopeId& scope,
                                                                                    ByteView key_sha256,
                                                                                    std::size_t limit) {
  TRY(auto query, connection_.prepare(kListOfKey));
  query.bind(scope, key_sha256, limit_of(limit));
  return read_all(query, to_certificate);
}

Result<std::vector<DeviceCertificate>> SqlDeviceCaRecords::list_unconfirmed(const ScopeId& scope, Timestamp before,
                                                                            std::size_t limit) {
  TRY(auto query, connection_.prepare(kListUnconfirmed));
  query.bind(scope, before, limit_of(limit));
  return read_all(query, to_certificate);
}

Result<std::vector<Standing>> SqlDeviceCaRecords::list_standings(const ScopeId& scope,
                                                                 const device_ca::StandingKey& after,
                                                                 std::size_t limit) {
  TRY(auto query, connection_.prepare(kListStandings));
  query.bind(scope, after.changed_at, after.changed_at, after.serial, limit_of(limit));
  return read_all(query, to_standing);
}

Result<std::vector<Standing>> SqlDeviceCaRecords::list_not_good(const ScopeId& scope, Timestamp now,
                                                                const device_ca::Page& page) {
  TRY(auto query, connection_.prepare(kListNotGood));
  query.bind(scope, after(page), now, limit_of(page.limit));
  return read_all(query, to_standing);
}

Result<bool> SqlDeviceCaRecords::has_inactive(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kHasInactive));
  query.bind(scope, id);
  TRY(const auto count, read_count(query));
  return count != 0;
}

Result<bool> SqlDeviceCaRecords::has_held(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kHasHeld));
  query.bind(scope, id);
  TRY(const auto count, read_count(query));
  return count != 0;
}

Result<bool> SqlDeviceCaRecords::has_compromised(const ScopeId& scope, ByteView key_sha256) {
  TRY(auto query, connection_.prepare(kHasCompromised));
  query.bind(scope, key_sha256);
  TRY(const auto count, read_count(query));
  return count != 0;
}

Status SqlDeviceCaRecords::insert_certificate(const DeviceCertificate& c) {
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(c.scope, c.serial.bytes(), c.registration_id, c.ground.enrollment_id, c.ground.group,
             to_string(c.identity), to_string(c.protection), to_string(c.state), to_string(c.door), c.key_sha256,
             c.public_key, c.ek_name, c.hardware_serial, c.not_before, c.not_after, c.created_at, c.changed_at,
             c.confirm_by, to_column(c.reason), c.is_late, c.certificate);
  return query.run();
}

Status SqlDeviceCaRecords::update_certificate(const DeviceCertificate& c) {
  TRY(auto query, connection_.prepare(kUpdate));
  query.bind(to_string(c.state), to_column(c.reason), c.confirm_by, c.changed_at, c.not_after, c.certificate, c.scope,
             c.serial.bytes());
  return query.run();
}

}  // namespace warifu::store
