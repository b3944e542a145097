#include "store/sql_device_ca.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

using device_ca::DeviceSecret;
using device_ca::ProvenDeviceKey;

#define KEY_COLUMNS                                                                                                \
  "scope_id, key_sha256, registration_id, enrollment_id, group_id, kind, public_key, ek_name, ak_name, nonce_at, " \
  "proven_at"
#define SECRET_COLUMNS \
  "scope_id, reference, registration_id, enrollment_id, group_id, sealed_secret, created_at, expires_at, spent_for"

constexpr Sql kFindKey = "SELECT " KEY_COLUMNS " FROM device_keys WHERE scope_id = ? AND key_sha256 = ?";
constexpr Sql kListKeysOf =
    "SELECT " KEY_COLUMNS " FROM device_keys WHERE scope_id = ? AND registration_id = ? ORDER BY nonce_at DESC LIMIT ?";
constexpr Sql kPutKey =
    "INSERT INTO device_keys (" KEY_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, key_sha256) DO UPDATE SET registration_id = "
    "excluded.registration_id, enrollment_id = excluded.enrollment_id, group_id = excluded.group_id, kind = "
    "excluded.kind, public_key = excluded.public_key, ek_name = "
    "excluded.ek_name, ak_name = excluded.ak_name, nonce_at = excluded.nonce_at, proven_at = excluded.proven_at";
constexpr Sql kRemoveKey = "DELETE FROM device_keys WHERE scope_id = ? AND key_sha256 = ?";

constexpr Sql kFindSecretAnywhere = "SELECT " SECRET_COLUMNS " FROM device_secrets WHERE reference = ?";
constexpr Sql kPutSecret = "INSERT INTO device_secrets (" SECRET_COLUMNS
                           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, reference) DO UPDATE SET "
                           "spent_for = excluded.spent_for";
constexpr Sql kPurgeSecrets =
    "DELETE FROM device_secrets WHERE scope_id = ? AND reference IN (SELECT reference FROM device_secrets WHERE "
    "scope_id = ? AND expires_at < ? ORDER BY expires_at LIMIT ?)";

#undef KEY_COLUMNS
#undef SECRET_COLUMNS

Result<ProvenDeviceKey> to_key(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto key_sha256, row.next<Bytes>());
  TRY(auto id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto group, row.next<std::optional<GroupId>>());
  ProvenDeviceKey key{.scope = std::move(scope),
                      .key_sha256 = std::move(key_sha256),
                      .registration_id = std::move(id),
                      .ground = {enrollment_id, std::move(group)}};
  TRY(key.identity, read_name(row, pki::parse_device_identity, "device_keys.kind"));
  TRY(key.public_key, row.next<Bytes>());
  TRY(key.ek_name, row.next<Bytes>());
  TRY(key.ak_name, row.next<Bytes>());
  TRY(key.nonce_at, row.next<Timestamp>());
  TRY(key.proven_at, row.next<Timestamp>());
  return key;
}

Result<DeviceSecret> to_secret(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto reference, row.next<std::string>());
  TRY(auto id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto group, row.next<std::optional<GroupId>>());
  DeviceSecret secret{.scope = std::move(scope),
                      .reference = std::move(reference),
                      .registration_id = std::move(id),
                      .ground = {enrollment_id, std::move(group)}};
  TRY(secret.sealed_secret, row.next<Bytes>());
  TRY(secret.created_at, row.next<Timestamp>());
  TRY(secret.expires_at, row.next<Timestamp>());
  TRY(secret.spent_for, row.next<std::string>());
  return secret;
}

}  // namespace

Result<std::optional<ProvenDeviceKey>> SqlDeviceCaRecords::find_key(const ScopeId& scope, ByteView key_sha256) {
  TRY(auto query, connection_.prepare(kFindKey));
  query.bind(scope, key_sha256);
  return read_one(query, to_key);
}

Result<std::vector<ProvenDeviceKey>> SqlDeviceCaRecords::list_keys_of(const ScopeId& scope, const RegistrationId& id,
                                                                      std::size_t limit) {
  TRY(auto query, connection_.prepare(kListKeysOf));
  query.bind(scope, id, limit_of(limit));
  return read_all(query, to_key);
}

Status SqlDeviceCaRecords::put_key(const ProvenDeviceKey& key) {
  TRY(auto query, connection_.prepare(kPutKey));
  query.bind(key.scope, key.key_sha256, key.registration_id, key.ground.enrollment_id, key.ground.group,
             to_string(key.identity), key.public_key, key.ek_name, key.ak_name, key.nonce_at, key.proven_at);
  return query.run();
}

Status SqlDeviceCaRecords::remove_key(const ScopeId& scope, ByteView key_sha256) {
  TRY(auto query, connection_.prepare(kRemoveKey));
  query.bind(scope, key_sha256);
  return query.run();
}

Result<std::optional<DeviceSecret>> SqlDeviceCaRecords::find_secret_anywhere(std::string_view reference) {
  TRY(auto query, connection_.prepare(kFindSecretAnywhere));
  query.bind(reference);
  return read_one(query, to_secret);
}

Status SqlDeviceCaRecords::put_secret(const DeviceSecret& secret) {
  TRY(auto query, connection_.prepare(kPutSecret));
  query.bind(secret.scope, secret.reference, secret.registration_id, secret.ground.enrollment_id, secret.ground.group,
             secret.sealed_secret, secret.created_at, secret.expires_at, secret.spent_for);
  return query.run();
}

Result<std::size_t> SqlDeviceCaRecords::purge_secrets(const ScopeId& scope, Timestamp before, std::size_t limit) {
  TRY(auto query, connection_.prepare(kPurgeSecrets));
  query.bind(scope, scope, before, limit_of(limit));
  TRY_STATUS(query.run());
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace warifu::store
