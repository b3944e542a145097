#include "store/sql_ek_trust.h"

#include <algorithm>
#include <iterator>

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using ek_trust::CrlInfo;
using ek_trust::StoredCrl;
using ek_trust::StoredEkCertificate;

#define INFO_COLUMNS \
  "scope_id, series_sha256, sha256, issuer_sha256, issuer, entries, is_partial, this_update, next_update, imported_at"
#define CERTIFICATE_COLUMNS "scope_id, ek_name, sha256, issuer_sha256, certificate, stored_at, intermediates"

constexpr Sql kFindCrl = "SELECT " INFO_COLUMNS " FROM ek_crls WHERE scope_id = ? AND series_sha256 = ?";
constexpr Sql kListCrls =
    "SELECT " INFO_COLUMNS " FROM ek_crls WHERE scope_id = ? AND series_sha256 > ? ORDER BY series_sha256 LIMIT ?";
constexpr Sql kFindCrlsOf = "SELECT " INFO_COLUMNS
                            ", list FROM ek_crls WHERE scope_id = ? AND issuer_sha256 = ? "
                            "ORDER BY series_sha256 LIMIT ?";
constexpr Sql kCountCrls = "SELECT count(*) FROM (SELECT 1 FROM ek_crls WHERE scope_id = ? LIMIT ?) AS one";
constexpr Sql kPutCrl =
    "INSERT INTO ek_crls (" INFO_COLUMNS
    ", list) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, series_sha256) DO UPDATE SET "
    "sha256 = excluded.sha256, issuer_sha256 = excluded.issuer_sha256, issuer = excluded.issuer, "
    "entries = excluded.entries, is_partial = excluded.is_partial, this_update = excluded.this_update, "
    "next_update = excluded.next_update, imported_at = excluded.imported_at, list = excluded.list";

constexpr Sql kFindCertificate =
    "SELECT " CERTIFICATE_COLUMNS " FROM ek_certificates WHERE scope_id = ? AND ek_name = ?";
constexpr Sql kListCertificatesOf = "SELECT " CERTIFICATE_COLUMNS
                                    " FROM ek_certificates WHERE scope_id = ? AND issuer_sha256 = ? AND ek_name > ? "
                                    "ORDER BY ek_name LIMIT ?";
constexpr Sql kPutCertificate =
    "INSERT INTO ek_certificates (" CERTIFICATE_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, ek_name) DO UPDATE SET sha256 = excluded.sha256, "
    "issuer_sha256 = excluded.issuer_sha256, certificate = excluded.certificate, stored_at = excluded.stored_at, "
    "intermediates = excluded.intermediates";
// Those that came with an authority of that issuer.
constexpr Sql kListCertificatesThrough =
    "SELECT " CERTIFICATE_COLUMNS
    " FROM ek_certificates WHERE scope_id = ? AND ek_name IN (SELECT ek_name FROM ek_certificate_issuers WHERE "
    "scope_id = ? AND issuer_sha256 = ? AND ek_name > ? ORDER BY ek_name LIMIT ?) ORDER BY ek_name";
constexpr Sql kForgetIssuers = "DELETE FROM ek_certificate_issuers WHERE scope_id = ? AND ek_name = ?";
constexpr Sql kPutIssuer =
    "INSERT INTO ek_certificate_issuers (scope_id, ek_name, issuer_sha256) VALUES (?, ?, ?) "
    "ON CONFLICT (scope_id, issuer_sha256, ek_name) DO NOTHING";

#undef INFO_COLUMNS
#undef CERTIFICATE_COLUMNS

Result<CrlInfo> read_info(Row& row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto series_sha256, row.next<Bytes>());
  TRY(auto sha256, row.next<Bytes>());
  TRY(auto issuer_sha256, row.next<Bytes>());
  TRY(auto issuer, row.next<std::string>());
  TRY(const auto entries, row.next<std::int64_t>());
  TRY(const auto is_partial, row.next<bool>());
  TRY(const auto this_update, row.next<Timestamp>());
  TRY(const auto next_update, row.next<std::optional<Timestamp>>());
  TRY(const auto imported_at, row.next<Timestamp>());
  return CrlInfo{.scope = std::move(scope),
                 .series_sha256 = std::move(series_sha256),
                 .sha256 = std::move(sha256),
                 .issuer_sha256 = std::move(issuer_sha256),
                 .issuer = std::move(issuer),
                 .entries = entries,
                 .is_partial = is_partial,
                 .this_update = this_update,
                 .next_update = next_update,
                 .imported_at = imported_at};
}

Result<CrlInfo> to_info(Row row) {
  return read_info(row);
}

Result<StoredCrl> to_crl(Row row) {
  TRY(auto info, read_info(row));
  TRY(auto der, row.next<Bytes>());
  return StoredCrl{std::move(info), std::move(der)};
}

Result<StoredEkCertificate> to_certificate(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto sha256, row.next<Bytes>());
  TRY(auto issuer_sha256, row.next<Bytes>());
  TRY(auto der, row.next<Bytes>());
  TRY(const auto stored_at, row.next<Timestamp>());
  TRY(auto intermediates, row.next<std::optional<Bytes>>());
  return StoredEkCertificate{.scope = std::move(scope),
                             .ek_name = std::move(ek_name),
                             .sha256 = std::move(sha256),
                             .issuer_sha256 = std::move(issuer_sha256),
                             .der = std::move(der),
                             .stored_at = stored_at,
                             .intermediates = std::move(intermediates).value_or(Bytes())};
}

// Both are in the order of the Names of EKs.
std::vector<StoredEkCertificate> merged(std::vector<StoredEkCertificate> a, std::vector<StoredEkCertificate> b,
                                        std::size_t limit) {
  if (b.empty()) return a;
  std::vector<StoredEkCertificate> all;
  std::ranges::merge(std::move(a), std::move(b), std::back_inserter(all), {}, &StoredEkCertificate::ek_name,
                     &StoredEkCertificate::ek_name);
  const auto is_same = [](const auto& x, const auto& y) { return x.ek_name == y.ek_name; };
  all.erase(std::unique(all.begin(), all.end(), is_same), all.end());
  if (all.size() > limit) all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
  return all;
}

}  // namespace

Result<std::optional<CrlInfo>> SqlEkTrustRecords::find_crl(const ScopeId& scope, ByteView series_sha256) {
  TRY(auto query, connection_.prepare(kFindCrl));
  query.bind(scope, series_sha256);
  return read_one(query, to_info);
}

Result<std::vector<CrlInfo>> SqlEkTrustRecords::list_crls(const ScopeId& scope, const ek_trust::Page& page) {
  TRY(auto query, connection_.prepare(kListCrls));
  query.bind(scope, page.after, limit_of(page.limit));
  return read_all(query, to_info);
}

Result<std::vector<StoredCrl>> SqlEkTrustRecords::find_crls_of(const ScopeId& scope, ByteView issuer_sha256,
                                                               std::size_t limit) {
  TRY(auto query, connection_.prepare(kFindCrlsOf));
  query.bind(scope, issuer_sha256, limit_of(limit));
  return read_all(query, to_crl);
}

Result<std::size_t> SqlEkTrustRecords::count_crls(const ScopeId& scope, std::size_t limit) {
  TRY(auto query, connection_.prepare(kCountCrls));
  query.bind(scope, limit_of(limit));
  return read_count(query);
}

Status SqlEkTrustRecords::put_crl(const StoredCrl& crl) {
  const CrlInfo& info = crl.info;
  TRY(auto query, connection_.prepare(kPutCrl));
  query.bind(info.scope, info.series_sha256, info.sha256, info.issuer_sha256, info.issuer, info.entries,
             info.is_partial, info.this_update, info.next_update, info.imported_at, crl.der);
  return query.run();
}

Result<std::optional<StoredEkCertificate>> SqlEkTrustRecords::find_ek_certificate(const ScopeId& scope,
                                                                                  ByteView ek_name) {
  TRY(auto query, connection_.prepare(kFindCertificate));
  query.bind(scope, ek_name);
  return read_one(query, to_certificate);
}

Result<std::vector<StoredEkCertificate>> SqlEkTrustRecords::list_ek_certificates_of(const ScopeId& scope,
                                                                                    ByteView issuer_sha256,
                                                                                    const ek_trust::Page& page) {
  TRY(auto query, connection_.prepare(kListCertificatesOf));
  query.bind(scope, issuer_sha256, page.after, limit_of(page.limit));
  TRY(auto direct, read_all(query, to_certificate));
  TRY(auto through, connection_.prepare(kListCertificatesThrough));
  through.bind(scope, scope, issuer_sha256, page.after, limit_of(page.limit));
  TRY(auto further, read_all(through, to_certificate));
  return merged(std::move(direct), std::move(further), page.limit);
}

Status SqlEkTrustRecords::put_ek_certificate(const StoredEkCertificate& certificate) {
  TRY(auto query, connection_.prepare(kPutCertificate));
  const auto intermediates =
      certificate.intermediates.empty() ? std::nullopt : std::optional<ByteView>(certificate.intermediates);
  query.bind(certificate.scope, certificate.ek_name, certificate.sha256, certificate.issuer_sha256, certificate.der,
             certificate.stored_at, intermediates);
  TRY_STATUS(query.run());
  TRY(auto forget, connection_.prepare(kForgetIssuers));
  forget.bind(certificate.scope, certificate.ek_name);
  TRY_STATUS(forget.run());
  for (const Bytes& issuer : certificate.further_issuers_sha256) {
    TRY(auto put, connection_.prepare(kPutIssuer));
    put.bind(certificate.scope, certificate.ek_name, issuer);
    TRY_STATUS(put.run());
  }
  return {};
}

}  // namespace warifu::store
