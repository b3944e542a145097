#include "store/sql_operators.h"

#include <fmt/format.h>

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using operators::AccessToken;
using operators::BootstrapToken;
using operators::Permissions;
using operators::ServiceKey;
using operators::TokenDigest;

constexpr Sql kFindBootstrapToken =
    "SELECT digest, scope_id, expires_at, used_at FROM bootstrap_tokens "
    "WHERE scope_id IN (SELECT scope_id FROM scopes) AND digest = ?";
constexpr Sql kFindAccessToken =
    "SELECT digest, scope_id, token_id, name, permissions, created_at, expires_at FROM access_tokens WHERE digest = ?";
constexpr Sql kInsertBootstrapToken =
    "INSERT INTO bootstrap_tokens (digest, scope_id, expires_at, used_at) VALUES (?, ?, ?, ?)";
constexpr Sql kUseBootstrapToken =
    "UPDATE bootstrap_tokens SET used_at = ? "
    "WHERE scope_id IN (SELECT scope_id FROM scopes) AND digest = ? AND used_at IS NULL";
constexpr Sql kInsertAccessToken =
    "INSERT INTO access_tokens (digest, scope_id, token_id, name, permissions, created_at, expires_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kInsertServiceKey =
    "INSERT INTO service_keys (scope_id, name, sealed_key, permissions, created_at) VALUES (?, ?, ?, ?, ?)";
#define SERVICE_KEY_COLUMNS "scope_id, name, sealed_key, permissions, created_at"
constexpr Sql kFindServiceKeys =
    "SELECT " SERVICE_KEY_COLUMNS " FROM service_keys WHERE scope_id IN (SELECT scope_id FROM scopes) AND name = ?";
constexpr Sql kListServiceKeys =
    "SELECT " SERVICE_KEY_COLUMNS " FROM service_keys WHERE scope_id = ? ORDER BY name LIMIT ?";
#undef SERVICE_KEY_COLUMNS
constexpr Sql kRemoveServiceKey = "DELETE FROM service_keys WHERE scope_id = ? AND name = ?";
constexpr Sql kPurgeAccessTokens = "DELETE FROM access_tokens WHERE scope_id = ? AND expires_at < ?";
constexpr Sql kPurgeBootstrapTokens = "DELETE FROM bootstrap_tokens WHERE scope_id = ? AND expires_at < ?";

// As OAuth writes scopes: the names with a space between.
std::string to_column(const Permissions& permissions) {
  return fmt::format("{}", fmt::join(permissions.names(), " "));
}

Result<Permissions> to_permissions(std::string_view column, std::string where) {
  std::vector<std::string> names;
  while (!column.empty()) {
    const auto end = std::min(column.find(' '), column.size());
    names.emplace_back(column.substr(0, end));
    column.remove_prefix(std::min(end + 1, column.size()));
  }
  auto permissions = Permissions::parse(names);
  // Fewer permissions than were granted would be safe, but nobody would know why.
  if (!permissions) return Error{ErrorKind::kInternal, "store.corrupt", permissions.error().message, std::move(where)};
  return permissions;
}

Result<BootstrapToken> to_bootstrap_token(Row row) {
  TRY(auto digest, row.next<Bytes>());
  TRY(auto scope, row.next<ScopeId>());
  TRY(const auto expires_at, row.next<Timestamp>());
  TRY(const auto used_at, row.next<std::optional<Timestamp>>());
  return BootstrapToken{std::move(digest), std::move(scope), expires_at, used_at};
}

Result<AccessToken> to_access_token(Row row) {
  TRY(auto digest, row.next<Bytes>());
  TRY(auto scope, row.next<ScopeId>());
  TRY(const auto token_id, row.next<Uuid>());
  TRY(auto name, row.next<Label>());
  TRY(const auto permission_names, row.next<std::string>());
  TRY(const auto permissions, to_permissions(permission_names, "access_tokens.permissions"));
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto expires_at, row.next<Timestamp>());
  return AccessToken{std::move(digest), std::move(scope), token_id,  std::move(name),
                     permissions,       created_at,       expires_at};
}

Result<ServiceKey> to_service_key(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto name, row.next<Label>());
  TRY(auto sealed_key, row.next<Bytes>());
  TRY(const auto permission_names, row.next<std::string>());
  TRY(const auto permissions, to_permissions(permission_names, "service_keys.permissions"));
  TRY(const auto created_at, row.next<Timestamp>());
  return ServiceKey{std::move(scope), std::move(name), std::move(sealed_key), permissions, created_at};
}

Result<std::size_t> delete_expired(Connection& connection, Sql sql, const ScopeId& scope, Timestamp before) {
  TRY(auto query, connection.prepare(sql));
  query.bind(scope, before);
  TRY_STATUS(query.run());
  return static_cast<std::size_t>(connection.changes());
}

}  // namespace

Result<std::optional<BootstrapToken>> SqlOperatorRecords::find_bootstrap_token(const TokenDigest& digest) {
  TRY(auto query, connection_.prepare(kFindBootstrapToken));
  query.bind(digest);
  return read_one(query, to_bootstrap_token);
}

Result<std::optional<AccessToken>> SqlOperatorRecords::find_access_token(const TokenDigest& digest) {
  TRY(auto query, connection_.prepare(kFindAccessToken));
  query.bind(digest);
  return read_one(query, to_access_token);
}

Result<std::vector<ServiceKey>> SqlOperatorRecords::find_service_keys(const Label& name) {
  TRY(auto query, connection_.prepare(kFindServiceKeys));
  query.bind(name);
  return read_all(query, to_service_key);
}

Result<std::vector<ServiceKey>> SqlOperatorRecords::list_service_keys(const ScopeId& scope, std::size_t limit) {
  TRY(auto query, connection_.prepare(kListServiceKeys));
  query.bind(scope, limit_of(limit));
  return read_all(query, to_service_key);
}

Status SqlOperatorRecords::insert_bootstrap_token(const BootstrapToken& token) {
  TRY(auto query, connection_.prepare(kInsertBootstrapToken));
  query.bind(token.digest, token.scope, token.expires_at, token.used_at);
  return name_conflict(query.run(), "bootstrap_token.exists", "a bootstrap token for scope", token.scope.text());
}

Status SqlOperatorRecords::use_bootstrap_token(const TokenDigest& digest, Timestamp at) {
  TRY(auto query, connection_.prepare(kUseBootstrapToken));
  query.bind(at, digest);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  TRY(const auto token, find_bootstrap_token(digest));
  if (!token) return Error{ErrorKind::kNotFound, "bootstrap_token.unknown", "no such bootstrap token"};
  return Error{ErrorKind::kConflict, "bootstrap_token.used", "this bootstrap token was used before: make another"};
}

Status SqlOperatorRecords::insert_access_token(const AccessToken& token) {
  const std::string permissions = to_column(token.permissions);
  TRY(auto query, connection_.prepare(kInsertAccessToken));
  query.bind(token.digest, token.scope, token.token_id, token.name, permissions, token.created_at, token.expires_at);
  return name_conflict(query.run(), "access_token.exists", "an access token named", token.name.text());
}

Status SqlOperatorRecords::insert_service_key(const ServiceKey& key) {
  const std::string permissions = to_column(key.permissions);
  TRY(auto query, connection_.prepare(kInsertServiceKey));
  query.bind(key.scope, key.name, key.sealed_key, permissions, key.created_at);
  return name_conflict(query.run(), "service_key.exists", "a service key named", key.name.text());
}

Status SqlOperatorRecords::remove_service_key(const ScopeId& scope, const Label& name) {
  TRY(auto query, connection_.prepare(kRemoveServiceKey));
  query.bind(scope, name);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return Error{ErrorKind::kNotFound, "service_key.unknown",
               fmt::format("there is no service key named {}", name.text())};
}

Result<std::size_t> SqlOperatorRecords::purge_tokens(const ScopeId& scope, Timestamp before) {
  TRY(const auto access, delete_expired(connection_, kPurgeAccessTokens, scope, before));
  TRY(const auto bootstrap, delete_expired(connection_, kPurgeBootstrapTokens, scope, before));
  return access + bootstrap;
}

}  // namespace warifu::store
