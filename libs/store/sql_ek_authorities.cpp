#include <fmt/format.h>

#include <algorithm>

#include "store/sql_ek_trust.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

using ek_trust::Authority;
using endorsement::VendorId;

#define AUTHORITY_COLUMNS                                                                                       \
  "scope_id, sha256, subject_sha256, issuer_sha256, key_sha256, role, vendors, certificate, distrusted_since, " \
  "distrust_reason, imported_at"

constexpr Sql kFind = "SELECT " AUTHORITY_COLUMNS " FROM ek_authorities WHERE scope_id = ? AND sha256 = ?";
constexpr Sql kList =
    "SELECT " AUTHORITY_COLUMNS " FROM ek_authorities WHERE scope_id = ? AND sha256 > ? ORDER BY sha256 LIMIT ?";
constexpr Sql kFindNamed = "SELECT " AUTHORITY_COLUMNS
                           " FROM ek_authorities WHERE scope_id = ? AND subject_sha256 = ? ORDER BY sha256 LIMIT ?";
constexpr Sql kFindIssuedBy =
    "SELECT " AUTHORITY_COLUMNS " FROM ek_authorities WHERE scope_id = ? AND issuer_sha256 = ? ORDER BY sha256 LIMIT ?";
constexpr Sql kFindOfKey =
    "SELECT " AUTHORITY_COLUMNS " FROM ek_authorities WHERE scope_id = ? AND key_sha256 = ? ORDER BY sha256 LIMIT ?";
constexpr Sql kFindDistrusted = "SELECT " AUTHORITY_COLUMNS
                                " FROM ek_authorities WHERE scope_id = ? AND key_sha256 = ? AND "
                                "distrusted_since IS NOT NULL ORDER BY distrusted_since, sha256 LIMIT 1";
constexpr Sql kCount = "SELECT count(*) FROM (SELECT 1 FROM ek_authorities WHERE scope_id = ? LIMIT ?) AS one";
constexpr Sql kPut =
    "INSERT INTO ek_authorities (" AUTHORITY_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, sha256) DO UPDATE SET role = excluded.role, "
    "vendors = excluded.vendors, distrusted_since = excluded.distrusted_since, "
    "distrust_reason = excluded.distrust_reason";

#undef AUTHORITY_COLUMNS

// Vendor IDs as numbers in hexadecimal, with a space between: their texts may have spaces.
std::string to_column(const std::vector<VendorId>& vendors) {
  std::string column;
  for (const VendorId vendor : vendors)
    column += fmt::format("{}{:08x}", column.empty() ? "" : " ", vendor.number());
  return column;
}

Result<std::vector<VendorId>> to_vendors(std::string_view column) {
  std::vector<VendorId> vendors;
  while (!column.empty()) {
    const std::size_t end = std::min(column.find(' '), column.size());
    const auto vendor = VendorId::parse(fmt::format("id:{}", column.substr(0, end)));
    // Without its vendors a root would speak for others than was said.
    if (!vendor) return Error{ErrorKind::kInternal, "store.corrupt", "expected vendor IDs", "ek_authorities.vendors"};
    vendors.push_back(*vendor);
    column.remove_prefix(std::min(end + 1, column.size()));
  }
  return vendors;
}

Result<Authority> to_authority(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto sha256, row.next<Bytes>());
  TRY(auto subject_sha256, row.next<Bytes>());
  TRY(auto issuer_sha256, row.next<Bytes>());
  TRY(auto key_sha256, row.next<Bytes>());
  TRY(const auto role, read_name(row, ek_trust::parse_role, "ek_authorities.role"));
  TRY(const auto vendor_column, row.next<std::string>());
  TRY(auto vendors, to_vendors(vendor_column));
  TRY(auto certificate, row.next<Bytes>());
  TRY(const auto since, row.next<std::optional<Timestamp>>());
  TRY(auto reason, row.next<std::optional<std::string>>());
  TRY(const auto imported_at, row.next<Timestamp>());
  Authority authority{.scope = std::move(scope),
                      .sha256 = std::move(sha256),
                      .subject_sha256 = std::move(subject_sha256),
                      .issuer_sha256 = std::move(issuer_sha256),
                      .key_sha256 = std::move(key_sha256),
                      .role = role,
                      .vendors = std::move(vendors),
                      .certificate = std::move(certificate),
                      .imported_at = imported_at};
  if (since) authority.distrust = ek_trust::Mark{*since, reason.value_or("")};
  return authority;
}

}  // namespace

Result<std::vector<Authority>> SqlEkTrustRecords::find_authorities(Sql sql, const ScopeId& scope, ByteView digest,
                                                                   std::size_t limit) {
  TRY(auto query, connection_.prepare(sql));
  query.bind(scope, digest, limit_of(limit));
  return read_all(query, to_authority);
}

Result<std::optional<Authority>> SqlEkTrustRecords::find_authority(const ScopeId& scope, ByteView sha256) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, sha256);
  return read_one(query, to_authority);
}

Result<std::vector<Authority>> SqlEkTrustRecords::list_authorities(const ScopeId& scope, const ek_trust::Page& page) {
  return find_authorities(kList, scope, page.after, page.limit);
}

Result<std::vector<Authority>> SqlEkTrustRecords::find_authorities_named(const ScopeId& scope, ByteView subject_sha256,
                                                                         std::size_t limit) {
  return find_authorities(kFindNamed, scope, subject_sha256, limit);
}

Result<std::vector<Authority>> SqlEkTrustRecords::find_authorities_issued_by(const ScopeId& scope,
                                                                             ByteView issuer_sha256,
                                                                             std::size_t limit) {
  return find_authorities(kFindIssuedBy, scope, issuer_sha256, limit);
}

Result<std::vector<Authority>> SqlEkTrustRecords::find_authorities_of_key(const ScopeId& scope, ByteView key_sha256,
                                                                          std::size_t limit) {
  return find_authorities(kFindOfKey, scope, key_sha256, limit);
}

Result<std::optional<Authority>> SqlEkTrustRecords::find_distrusted_of_key(const ScopeId& scope, ByteView key_sha256) {
  TRY(auto query, connection_.prepare(kFindDistrusted));
  query.bind(scope, key_sha256);
  return read_one(query, to_authority);
}

Result<std::size_t> SqlEkTrustRecords::count_authorities(const ScopeId& scope, std::size_t limit) {
  TRY(auto query, connection_.prepare(kCount));
  query.bind(scope, limit_of(limit));
  return read_count(query);
}

Status SqlEkTrustRecords::put_authority(const Authority& authority) {
  const std::string vendors = to_column(authority.vendors);
  std::optional<Timestamp> since;
  std::optional<std::string> reason;
  if (authority.distrust) {
    since = authority.distrust->since;
    reason = authority.distrust->reason;
  }
  TRY(auto query, connection_.prepare(kPut));
  query.bind(authority.scope, authority.sha256, authority.subject_sha256, authority.issuer_sha256, authority.key_sha256,
             to_string(authority.role), vendors, authority.certificate, since, reason, authority.imported_at);
  return query.run();
}

}  // namespace warifu::store
