#include "ek_trust/judge.h"

#include <algorithm>

#include "ek_trust/identity.h"
#include "ek_trust/limits.h"

namespace warifu::ek_trust {
namespace {

using endorsement::RootStore;
using endorsement::X509Certificate;

// Names that one certificate can lead to.
constexpr std::size_t kNamesMax = 64;

// What was stored was taken once: what is no authority now was damaged since.
Status add_stored(RootStore& store, const Authority& authority, const X509Certificate& certificate) {
  const Status added = authority.role == Role::kRoot ? store.add_root(certificate, authority.vendors)
                                                     : store.add_intermediate(certificate);
  if (!added) return Error{ErrorKind::kInternal, "store.corrupt", added.error().message, "ek_authorities.certificate"};
  return {};
}

// By which the search for authorities begins.
std::vector<Bytes> names_from(const endorsement::Name& issuer, const std::vector<X509Certificate>& intermediates) {
  std::vector<Bytes> names{name_digest(issuer)};
  for (const X509Certificate& authority : intermediates)
    names.push_back(name_digest(authority.issuer));
  return names;
}

std::vector<const X509Certificate*> authorities_named(const RootStore& store, const endorsement::Name& name) {
  std::vector<const X509Certificate*> found = store.intermediates_named(name);
  for (const endorsement::TrustedRoot* root : store.roots_named(name))
    found.push_back(&root->certificate);
  return found;
}

}  // namespace

Result<Verdict> Judge::judge(const endorsement::EkCertificate& certificate, const Intermediates& intermediates) {
  Verdict verdict;
  const auto judge_by = [&](const RootStore& store) {
    auto verified = endorsement::verify(certificate, store, at_, &verdict.missing);
    if (verified)
      verdict.verified = *std::move(verified);
    else
      verdict.refusal = std::move(verified).error();
  };
  if (intermediates.empty()) {
    TRY(const RootStore* store, store_for(certificate.x509().issuer));
    judge_by(*store);
  } else {
    TRY(const RootStore store, store_with(certificate.x509().issuer, intermediates));
    judge_by(store);
  }
  return verdict;
}

Result<std::vector<Bytes>> Judge::authorities(const endorsement::EkCertificate& certificate,
                                              const Intermediates& intermediates, std::optional<Error>& refusal) {
  std::vector<Bytes> digests;
  RootStore store;
  TRY(const Names names, gather(store, names_from(certificate.x509().issuer, intermediates)));
  TRY(const auto unproven, add_proved(store, intermediates));
  if (const auto found = endorsement::verify(certificate, store, at_); !found) {
    refusal = unproven ? *unproven : found.error();
    return digests;
  }
  TRY_STATUS(add_all_crls(store, names));
  const auto paths = endorsement::verify_all(certificate, store, at_);
  if (!paths) {
    refusal = paths.error();
    return digests;
  }
  for (const auto& path : *paths)
    for (const X509Certificate& authority : path.authorities())
      digests.push_back(sha256_of(authority.der()));
  return digests;
}

Result<const RootStore*> Judge::store_for(const endorsement::Name& issuer) {
  const auto [there, is_new] = stores_.try_emplace(name_digest(issuer));
  if (is_new) {
    TRY(const Names names, gather(there->second, {name_digest(issuer)}));
    TRY_STATUS(add_all_crls(there->second, names));
  }
  return &there->second;
}

// What was imported is there first: a certificate that came again with an EK keeps the role that an operator gave it.
Result<RootStore> Judge::store_with(const endorsement::Name& issuer, const Intermediates& intermediates) {
  RootStore store;
  TRY(const Names names, gather(store, names_from(issuer, intermediates)));
  TRY_STATUS(add_all_crls(store, names));
  for (const X509Certificate& authority : intermediates) {
    TRY_STATUS(add_distrust(store, key_digest(authority), authority));
    // What is no authority leads nowhere.
    (void)store.add_intermediate(authority);
  }
  return store;
}

Result<std::optional<Error>> Judge::add_proved(RootStore& store, const Intermediates& intermediates) {
  std::optional<Error> unproven;
  for (auto authority = intermediates.rbegin(); authority != intermediates.rend(); ++authority) {
    const auto issuers = authorities_named(store, authority->issuer);
    const auto signs = [&](const X509Certificate* issuer) { return authority->signed_by(*issuer); };
    if (std::ranges::none_of(issuers, signs)) {
      if (!unproven) unproven = endorsement::unproven(*authority, !issuers.empty());
      continue;
    }
    TRY_STATUS(add_distrust(store, key_digest(*authority), *authority));
    (void)store.add_intermediate(*authority);
  }
  return unproven;
}

// Level by level, so that what is cut off, if anything, is what is farthest away.
Result<Judge::Names> Judge::gather(RootStore& store, std::vector<Bytes> level) {
  Names seen;
  for (std::size_t depth = 0; depth < endorsement::kPathAuthoritiesMax && !level.empty(); ++depth) {
    std::vector<Bytes> next;
    for (const Bytes& name : level)
      if (seen.size() < kNamesMax && seen.insert(name).second) TRY_STATUS(add_named(store, name, next));
    level = std::move(next);
  }
  return seen;
}

Status Judge::add_all_crls(RootStore& store, const Names& names) {
  for (const Bytes& name : names)
    TRY_STATUS(add_crls(store, name));
  return {};
}

Status Judge::add_named(RootStore& store, const Bytes& name, std::vector<Bytes>& next) {
  TRY(const auto authorities, records_.find_authorities_named(scope_, name, kAuthoritiesOfNameMax));
  for (const Authority& authority : authorities) {
    TRY(const X509Certificate certificate, certificate_of(authority));
    TRY_STATUS(add_distrust(store, authority.key_sha256, certificate));
    TRY_STATUS(add_stored(store, authority, certificate));
    next.push_back(authority.issuer_sha256);
  }
  return {};
}

Status Judge::add_distrust(RootStore& store, const Bytes& key_sha256, const X509Certificate& certificate) {
  if (assumption_ && assumption_->key_sha256 == key_sha256) {
    if (assumption_->is_distrusted) store.distrust(certificate, Timestamp(), "it is assumed");
    return {};
  }
  TRY(const auto distrusted, records_.find_distrusted_of_key(scope_, key_sha256));
  if (distrusted) store.distrust(certificate, distrusted->distrust->since, distrusted->distrust->reason);
  return {};
}

Status Judge::add_crls(RootStore& store, const Bytes& name) {
  TRY(const auto crls, records_.find_crls_of(scope_, name, kCrlsOfIssuerMax));
  for (const StoredCrl& crl : crls) {
    auto parsed = endorsement::RevocationList::parse(crl.der);
    if (!parsed) return Error{ErrorKind::kInternal, "store.corrupt", parsed.error().message, "ek_crls.list"};
    TRY_STATUS(store.add_revocation_list(*std::move(parsed)));
  }
  return {};
}

}  // namespace warifu::ek_trust
