#include "store/sql_application_keys.h"

#include <fmt/format.h>

#include <cstdint>

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using application_keys::ApplicationKey;

#define COLUMNS                                                                                                \
  "scope_id, registration_id, name, version, enrollment_id, ek_name, state, capped_by, sealed_key, srk_name, " \
  "delivered_to, nonce_at, created_at, changed_at, told_at, delivery_noted_at, acknowledgement_noted_at, "     \
  "loss_noted_at"

constexpr Sql kListOf =
    "SELECT " COLUMNS
    " FROM application_keys WHERE scope_id = ? AND registration_id = ? ORDER BY name, version LIMIT ?";
// The condition of the partial index stands here word for word.
constexpr Sql kListHolders =
    "SELECT DISTINCT registration_id FROM application_keys WHERE scope_id = ? AND registration_id > ? AND state IN "
    "('pending', 'active') ORDER BY registration_id LIMIT ?";
constexpr Sql kInsert = "INSERT INTO application_keys (" COLUMNS
                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                        "?)";
constexpr Sql kUpdate =
    "UPDATE application_keys SET state = ?, sealed_key = ?, srk_name = ?, delivered_to = ?, nonce_at = ?, "
    "changed_at = ?, told_at = ?, delivery_noted_at = ?, acknowledgement_noted_at = ?, loss_noted_at = ? WHERE "
    "scope_id = ? AND registration_id = ? AND name = ? AND version = ?";
constexpr Sql kRemove =
    "DELETE FROM application_keys WHERE scope_id = ? AND registration_id = ? AND name = ? AND version = ?";

#undef COLUMNS

Error corrupt_number(std::string_view column, std::int64_t value) {
  return {ErrorKind::kInternal, "store.corrupt", fmt::format("{} cannot stand here", value), std::string(column)};
}

Result<ApplicationKey> to_application_key(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto id, row.next<RegistrationId>());
  TRY(auto name, row.next<Label>());
  TRY(const auto version, row.next<std::int64_t>());
  if (version < 1 || version > UINT32_MAX) return corrupt_number("application_keys.version", version);
  TRY(const auto enrollment, row.next<Uuid>());
  TRY(auto ek_name, row.next<Bytes>());
  ApplicationKey key{.scope = std::move(scope),
                     .registration_id = std::move(id),
                     .name = std::move(name),
                     .version = static_cast<std::uint32_t>(version),
                     .enrollment_id = enrollment,
                     .ek_name = std::move(ek_name)};
  TRY(key.state, read_name(row, application_keys::parse_state, "application_keys.state"));
  TRY(const auto pcr, row.next<std::optional<std::int64_t>>());
  if (pcr && (*pcr < 0 || *pcr > 23)) return corrupt_number("application_keys.capped_by", *pcr);
  if (pcr) key.capped_by = static_cast<std::uint8_t>(*pcr);
  TRY(key.sealed_key, row.next<Bytes>());
  TRY(key.srk_name, row.next<Bytes>());
  TRY(key.delivered_to, row.next<Bytes>());
  TRY(key.nonce_at, row.next<Timestamp>());
  TRY(key.created_at, row.next<Timestamp>());
  TRY(key.changed_at, row.next<Timestamp>());
  TRY(key.told_at, row.next<std::optional<Timestamp>>());
  TRY(key.delivery_noted_at, row.next<Timestamp>());
  TRY(key.acknowledgement_noted_at, row.next<Timestamp>());
  TRY(key.loss_noted_at, row.next<Timestamp>());
  return key;
}

Result<RegistrationId> to_holder(Row row) {
  return row.next<RegistrationId>();
}

}  // namespace

Result<std::vector<ApplicationKey>> SqlApplicationKeyRecords::list_keys_of(const ScopeId& scope,
                                                                           const RegistrationId& id,
                                                                           std::size_t limit) {
  TRY(auto query, connection_.prepare(kListOf));
  query.bind(scope, id, limit_of(limit));
  return read_all(query, to_application_key);
}

Result<std::vector<RegistrationId>> SqlApplicationKeyRecords::list_holders(const ScopeId& scope,
                                                                           const std::optional<RegistrationId>& after,
                                                                           std::size_t limit) {
  TRY(auto query, connection_.prepare(kListHolders));
  query.bind(scope, after ? std::string_view(after->text()) : std::string_view(), limit_of(limit));
  return read_all(query, to_holder);
}

Status SqlApplicationKeyRecords::insert_key(const ApplicationKey& key) {
  TRY(auto query, connection_.prepare(kInsert));
  const auto pcr = key.capped_by ? std::optional(std::int64_t{*key.capped_by}) : std::nullopt;
  query.bind(key.scope, key.registration_id, key.name, std::int64_t{key.version}, key.enrollment_id, key.ek_name,
             to_string(key.state), pcr, key.sealed_key, key.srk_name, key.delivered_to, key.nonce_at, key.created_at,
             key.changed_at, key.told_at, key.delivery_noted_at, key.acknowledgement_noted_at, key.loss_noted_at);
  return name_conflict(query.run(), "application-key.exists", "a version of the application key", key.name.text());
}

Status SqlApplicationKeyRecords::update_key(const ApplicationKey& key) {
  TRY(auto query, connection_.prepare(kUpdate));
  query.bind(to_string(key.state), key.sealed_key, key.srk_name, key.delivered_to, key.nonce_at, key.changed_at,
             key.told_at, key.delivery_noted_at, key.acknowledgement_noted_at, key.loss_noted_at, key.scope,
             key.registration_id, key.name, std::int64_t{key.version});
  return query.run();
}

Status SqlApplicationKeyRecords::note_key(const ApplicationKey& key) {
  TRY_STATUS(update_key(key));
  unaudited_rows_ += connection_.changes();
  return {};
}

Status SqlApplicationKeyRecords::remove_key(const ApplicationKey& key) {
  TRY(auto query, connection_.prepare(kRemove));
  query.bind(key.scope, key.registration_id, key.name, std::int64_t{key.version});
  return query.run();
}

}  // namespace warifu::store
