#include "store/sql_records.h"
#include "store/sql_verifier.h"

namespace warifu::store {
namespace {

using verifier::PackageInfo;
using verifier::PackageKind;
using verifier::StoredPackage;

#define INFO_COLUMNS "kind, revision, sha256, key_sha256, put_at"
#define PACKAGE_COLUMNS "scope_id, document, signature, public_key, " INFO_COLUMNS

constexpr Sql kFindPackage = "SELECT " PACKAGE_COLUMNS " FROM data_packages WHERE scope_id = ? AND kind = ?";
constexpr Sql kFindPackageInfo = "SELECT " INFO_COLUMNS " FROM data_packages WHERE scope_id = ? AND kind = ?";
constexpr Sql kPutPackage =
    "INSERT INTO data_packages (" PACKAGE_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, kind) DO UPDATE SET document = excluded.document, "
    "signature = excluded.signature, public_key = excluded.public_key, revision = excluded.revision, "
    "sha256 = excluded.sha256, key_sha256 = excluded.key_sha256, put_at = excluded.put_at";
constexpr Sql kRemovePackage = "DELETE FROM data_packages WHERE scope_id = ? AND kind = ?";

#undef PACKAGE_COLUMNS
#undef INFO_COLUMNS

Result<PackageInfo> next_package_info(Row& row) {
  TRY(const auto kind, read_name(row, verifier::parse_package_kind, "data_packages.kind"));
  TRY(const auto revision, row.next<Uuid>());
  TRY(auto sha256, row.next<Bytes>());
  TRY(auto key_sha256, row.next<Bytes>());
  TRY(const auto put_at, row.next<Timestamp>());
  return PackageInfo{kind, revision, std::move(sha256), std::move(key_sha256), put_at};
}

Result<PackageInfo> to_package_info(Row row) {
  return next_package_info(row);
}

Result<StoredPackage> to_package(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto document, row.next<Bytes>());
  TRY(auto signature, row.next<Bytes>());
  TRY(auto key, row.next<std::string>());
  TRY(auto info, next_package_info(row));
  return StoredPackage{std::move(scope), std::move(info), std::move(document), std::move(signature), std::move(key)};
}

}  // namespace

Result<std::optional<PackageInfo>> SqlVerifierRecords::find_package_info(const ScopeId& scope, PackageKind kind) {
  TRY(auto query, connection_.prepare(kFindPackageInfo));
  query.bind(scope, to_string(kind));
  return read_one(query, to_package_info);
}

Result<std::optional<StoredPackage>> SqlVerifierRecords::find_package(const ScopeId& scope, PackageKind kind) {
  TRY(auto query, connection_.prepare(kFindPackage));
  query.bind(scope, to_string(kind));
  return read_one(query, to_package);
}

Status SqlVerifierRecords::put_package(const StoredPackage& package) {
  TRY(auto query, connection_.prepare(kPutPackage));
  const PackageInfo& info = package.info;
  query.bind(package.scope, package.document, package.signature, package.key, to_string(info.kind), info.revision,
             info.sha256, info.key_sha256, info.put_at);
  return query.run();
}

Status SqlVerifierRecords::remove_package(const ScopeId& scope, PackageKind kind) {
  TRY(auto query, connection_.prepare(kRemovePackage));
  query.bind(scope, to_string(kind));
  return query.run();
}

}  // namespace warifu::store
