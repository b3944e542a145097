#include "ek_trust/revocation_desk.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"
#include "ek_trust/identity.h"
#include "ek_trust/limits.h"

namespace warifu::ek_trust {
namespace {

namespace json = boost::json;
using endorsement::RevocationList;

// The key of the authority that signed it.
Result<Bytes> signer_of(RecordsView& records, const ScopeId& scope, const RevocationList& list) {
  TRY(const auto named, records.find_authorities_named(scope, name_digest(list.issuer()), kAuthoritiesOfNameMax));
  for (const Authority& authority : named) {
    TRY(const auto certificate, certificate_of(authority));
    const auto& usage = certificate.extensions;
    const bool may_sign = !usage.key_usage || usage.may(endorsement::KeyUsage::kCrlSign);
    if (may_sign && list.signed_by(certificate)) return authority.key_sha256;
  }
  return Error{ErrorKind::kRefused, "ek_crl.issuer",
               named.empty()
                   ? fmt::format("the authority \"{}\" that issued the CRL was not imported", list.issuer().text())
                   : fmt::format("authorities named \"{}\" were imported, and none of them signed the CRL",
                                 list.issuer().text())};
}

Bytes series_of(const RevocationList& list, ByteView signer) {
  const Bytes issuer = name_digest(list.issuer());
  const Bytes point = sha256_of(list.distribution_point());
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {issuer, signer, point}).bytes());
}

Status check_room(RecordsView& records, const ListInfo& info) {
  TRY(const auto count, records.count_lists(info.scope, kListsMax));
  TRY(const auto same, records.find_lists_of(info.scope, info.issuer_sha256, kListsOfIssuerMax));
  if (count < kListsMax && same.size() < kListsOfIssuerMax) return {};
  return Error{ErrorKind::kConflict, "ek_crl.too_many",
               fmt::format("there are {} CRLs, {} of them of this authority; the limits are {} and {}", count,
                           same.size(), kListsMax, kListsOfIssuerMax)};
}

}  // namespace

std::string_view to_string(ListOutcome outcome) {
  switch (outcome) {
    case ListOutcome::kAdded:
      return "added";
    case ListOutcome::kUpdated:
      return "updated";
    case ListOutcome::kUnchanged:
      return "unchanged";
    case ListOutcome::kOlder:
      return "older";
  }
  return "unchanged";
}

Result<ImportedList> RevocationDesk::import_one(Records& records, audit::Trail& trail, const Requester& who,
                                                const RevocationList& list) const {
  if (list.der().size() > kListSizeMax)
    return invalid_input("ek_crl.size",
                         fmt::format("expected at most {} bytes, {} came", kListSizeMax, list.der().size()));
  TRY(const Bytes signer, signer_of(records, who.scope, list));
  const Bytes series = series_of(list, signer);
  const Bytes sha256 = sha256_of(list.der());
  TRY(auto before, records.find_list(who.scope, series));
  if (before && before->sha256 == sha256) return ImportedList{*std::move(before), ListOutcome::kUnchanged};
  if (before && before->this_update > list.this_update()) return ImportedList{*std::move(before), ListOutcome::kOlder};

  ListInfo info{.scope = who.scope,
                .series_sha256 = series,
                .sha256 = sha256,
                .issuer_sha256 = name_digest(list.issuer()),
                .issuer = list.issuer().text(),
                .entries = static_cast<std::int64_t>(list.size()),
                .is_partial = list.is_partial(),
                .this_update = list.this_update(),
                .next_update = list.next_update(),
                .imported_at = clock_.now()};
  if (!before) TRY_STATUS(check_room(records, info));
  TRY_STATUS(records.put_list({info, to_bytes(list.der())}));
  TRY_STATUS(trail.record(who.scope, {who.actor, "ek-crl.import", fmt::format("ek-crl:{}", to_hex(series)),
                                      json::serialize(json::object{{"issuer", info.issuer},
                                                                   {"sha256", to_hex(sha256)},
                                                                   {"this_update", to_rfc3339(info.this_update)},
                                                                   {"entries", info.entries}})}));
  return ImportedList{std::move(info), before ? ListOutcome::kUpdated : ListOutcome::kAdded};
}

Result<std::vector<ImportedList>> RevocationDesk::import(Records& records, audit::Trail& trail, const Requester& who,
                                                         const std::vector<RevocationList>& lists) const {
  if (lists.empty() || lists.size() > kListsPerChangeMax)
    return invalid_input("ek_crl.count",
                         fmt::format("expected 1 to {} CRLs, {} came", kListsPerChangeMax, lists.size()));
  std::vector<ImportedList> imported;
  for (const RevocationList& list : lists) {
    TRY(auto one, import_one(records, trail, who, list));
    imported.push_back(std::move(one));
  }
  return imported;
}

}  // namespace warifu::ek_trust
