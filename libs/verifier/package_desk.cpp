#include "verifier/package_desk.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"

namespace warifu::verifier {
namespace {

namespace json = boost::json;

Bytes sha256_of(ByteView bytes) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes());
}

std::string subject_of(PackageKind kind) {
  return fmt::format("data-package:{}", to_string(kind));
}

json::object detail_of(const PackageInfo& package) {
  return {{"revision", package.revision.text()},
          {"document_sha256", to_hex(package.sha256)},
          {"key_sha256", to_hex(package.key_sha256)}};
}

Status check_revision(const std::optional<StoredPackage>& before, const std::optional<Uuid>& expected) {
  if (!expected || (before && before->info.revision == *expected)) return {};
  return Error{
      ErrorKind::kConflict, "data_package.revision",
      before ? fmt::format("the package was changed meanwhile: it is of revision {} now", before->info.revision.text())
             : "the package was deleted meanwhile"};
}

}  // namespace

Error unknown_package(PackageKind kind) {
  return {ErrorKind::kNotFound, "data_package.unknown", fmt::format("nobody put a package of {}", to_string(kind))};
}

Result<SignedPackage> SignedPackage::check(PackageKind kind, std::string document, Bytes signature,
                                           const std::string& key) {
  auto signer = crypto::PublicKey::from_pem(key);
  if (!signer) return invalid_input("data_package.key", to_string(signer.error()), "key");
  TRY(const auto text, endorsement::SignedText::check(document, signature, *signer));
  SignedPackage package(kind, std::move(document), std::move(signature), *std::move(signer));
  if (kind == PackageKind::kTpmFlaws) {
    TRY(package.flaws_, endorsement::FlawTable::load(text));
  } else {
    TRY_STATUS(endorsement::FirmwareQuirks::load(text));
  }
  return package;
}

Result<PutPackage> PackageDesk::put(Records& records, audit::Trail& trail, const audit::Requester& who,
                                    const SignedPackage& package, const std::optional<Uuid>& expected) const {
  TRY(auto before, records.find_package(who.scope, package.kind_));
  TRY_STATUS(check_revision(before, expected));
  Bytes document = to_bytes(as_bytes(package.document_));
  const Bytes key_sha256 = sha256_of(package.key_.spki());
  if (before && before->document == document && before->info.key_sha256 == key_sha256)
    return PutPackage{std::move(before->info), PolicyOutcome::kUnchanged};
  const Timestamp now = clock_.now();
  const Bytes sha256 = sha256_of(document);
  const StoredPackage stored{who.scope,
                             {package.kind_, Uuid::v7(now, entropy_), sha256, key_sha256, now},
                             std::move(document),
                             package.signature_,
                             package.key_.to_pem()};
  TRY_STATUS(records.put_package(stored));
  json::object detail = detail_of(stored.info);
  if (before) detail["before"] = detail_of(before->info);
  TRY_STATUS(
      trail.record(who.scope, {who.actor, "data-package.put", subject_of(package.kind_), json::serialize(detail)}));
  return PutPackage{stored.info, before ? PolicyOutcome::kUpdated : PolicyOutcome::kCreated};
}

Status PackageDesk::remove(Records& records, audit::Trail& trail, const audit::Requester& who, PackageKind kind,
                           const std::optional<Uuid>& expected) const {
  TRY(const auto before, records.find_package(who.scope, kind));
  if (!before) return unknown_package(kind);
  TRY_STATUS(check_revision(before, expected));
  TRY_STATUS(records.remove_package(who.scope, kind));
  return trail.record(who.scope,
                      {who.actor, "data-package.delete", subject_of(kind), json::serialize(detail_of(before->info))});
}

}  // namespace warifu::verifier
