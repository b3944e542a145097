#include "ek_trust/revocation_desk.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/place.h"
#include "crypto/digest.h"
#include "ek_trust/identity.h"
#include "ek_trust/limits.h"

namespace warifu::ek_trust {
namespace {

namespace json = boost::json;
using endorsement::RevocationList;

// As a request has them, in its order.
std::string place_of(std::size_t index) {
  return fmt::format("crls.{}", index);
}

// The key of the authority that signed it.
Result<Bytes> signer_of(RecordsView& records, const ScopeId& scope, const RevocationList& crl) {
  TRY(const auto named, records.find_authorities_named(scope, name_digest(crl.issuer()), kAuthoritiesOfNameMax));
  for (const Authority& authority : named) {
    TRY(const auto certificate, certificate_of(authority));
    const auto& usage = certificate.extensions;
    const bool may_sign = !usage.key_usage || usage.may(endorsement::KeyUsage::kCrlSign);
    if (may_sign && crl.signed_by(certificate)) return authority.key_sha256;
  }
  return Error{ErrorKind::kRefused, "ek_crl.issuer",
               named.empty()
                   ? fmt::format("the authority \"{}\" that issued the CRL was not imported", crl.issuer().text())
                   : fmt::format("authorities named \"{}\" were imported, and none of them signed the CRL",
                                 crl.issuer().text())};
}

Bytes series_of(const RevocationList& crl, ByteView signer) {
  const Bytes issuer = name_digest(crl.issuer());
  const Bytes point = sha256_of(crl.distribution_point());
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {issuer, signer, point}).bytes());
}

Status check_room(RecordsView& records, const CrlInfo& info) {
  TRY(const auto count, records.count_crls(info.scope, kCrlsMax));
  TRY(const auto same, records.find_crls_of(info.scope, info.issuer_sha256, kCrlsOfIssuerMax));
  if (count < kCrlsMax && same.size() < kCrlsOfIssuerMax) return {};
  return Error{ErrorKind::kConflict, "ek_crl.too_many",
               fmt::format("there are {} CRLs, {} of them of this authority; the limits are {} and {}", count,
                           same.size(), kCrlsMax, kCrlsOfIssuerMax)};
}

}  // namespace

Result<CrlImport> CrlImport::make(std::vector<RevocationList> crls) {
  if (crls.empty() || crls.size() > kCrlsPerChangeMax)
    return invalid_input("ek_crl.count", fmt::format("expected 1 to {} CRLs, {} came", kCrlsPerChangeMax, crls.size()));
  for (std::size_t i = 0; i < crls.size(); ++i)
    if (crls[i].der().size() > kCrlSizeMax)
      return invalid_input(
          "ek_crl.size", fmt::format("expected a CRL of at most {} bytes, {} came", kCrlSizeMax, crls[i].der().size()),
          place_of(i));
  return CrlImport(std::move(crls));
}

std::string_view to_string(CrlOutcome outcome) {
  switch (outcome) {
    case CrlOutcome::kAdded:
      return "added";
    case CrlOutcome::kUpdated:
      return "updated";
    case CrlOutcome::kUnchanged:
      return "unchanged";
    case CrlOutcome::kOlder:
      return "older";
  }
  return "unchanged";
}

Result<ImportedCrl> RevocationDesk::import_one(Records& records, audit::Trail& trail, const Requester& who,
                                               const RevocationList& crl) const {
  TRY(const Bytes signer, signer_of(records, who.scope, crl));
  const Bytes series = series_of(crl, signer);
  const Bytes sha256 = sha256_of(crl.der());
  TRY(auto before, records.find_crl(who.scope, series));
  if (before && before->sha256 == sha256) return ImportedCrl{*std::move(before), CrlOutcome::kUnchanged};
  if (before && before->this_update > crl.this_update()) return ImportedCrl{*std::move(before), CrlOutcome::kOlder};

  CrlInfo info{.scope = who.scope,
               .series_sha256 = series,
               .sha256 = sha256,
               .issuer_sha256 = name_digest(crl.issuer()),
               .issuer = crl.issuer().text(),
               .entries = static_cast<std::int64_t>(crl.size()),
               .is_partial = crl.is_partial(),
               .this_update = crl.this_update(),
               .next_update = crl.next_update(),
               .imported_at = clock_.now()};
  if (!before) TRY_STATUS(check_room(records, info));
  TRY_STATUS(records.put_crl({info, to_bytes(crl.der())}));
  TRY_STATUS(trail.record(who.scope, {who.actor, "ek-crl.import", fmt::format("ek-crl:{}", to_hex(series)),
                                      json::serialize(json::object{{"issuer", info.issuer},
                                                                   {"sha256", to_hex(sha256)},
                                                                   {"this_update", to_rfc3339(info.this_update)},
                                                                   {"entries", info.entries}})}));
  return ImportedCrl{std::move(info), before ? CrlOutcome::kUpdated : CrlOutcome::kAdded};
}

Result<std::vector<ImportedCrl>> RevocationDesk::import(Records& records, audit::Trail& trail, const Requester& who,
                                                        const CrlImport& request) const {
  std::vector<ImportedCrl> imported;
  for (const RevocationList& crl : request.crls()) {
    auto one = import_one(records, trail, who, crl);
    if (!one) return at(std::move(one).error(), place_of(imported.size()));
    imported.push_back(*std::move(one));
  }
  return imported;
}

}  // namespace warifu::ek_trust
