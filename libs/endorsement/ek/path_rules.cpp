#include "endorsement/ek/path_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::endorsement {
namespace {

void note(std::vector<Finding>& findings, Finding finding) {
  if (std::ranges::find(findings, finding) == findings.end()) findings.push_back(finding);
}

// RFC 5280 §6.1.4. Self-issued certificates (a new key for an old name) do not count for the path length.
Status check_authority(const X509Certificate& authority, std::size_t below) {
  const auto unfit = [&](std::string why) {
    return refused("endorsement.path.authority", fmt::format("\"{}\" {}", authority.subject.text(), why));
  };
  const Extensions& extensions = authority.extensions;
  if (!extensions.is_ca) return unfit("is no authority (CA:FALSE)");
  if (extensions.key_usage && !extensions.may(KeyUsage::kKeyCertSign)) return unfit("may not sign certificates");
  if (extensions.path_length && below > *extensions.path_length)
    return unfit(fmt::format("allows {} authorities below it, {} are there", *extensions.path_length, below));
  if (!extensions.unknown_critical.empty())
    return unfit(
        fmt::format("has the critical extension {}, which is not understood", extensions.unknown_critical.front()));
  return {};
}

Status check_authorities(const WholePath& path) {
  std::size_t below = 0;
  for (const X509Certificate* authority : path.authorities) {
    TRY_STATUS(check_authority(*authority, below));
    if (!authority->is_self_issued()) ++below;
  }
  return {};
}

Status check_time(const X509Certificate& certificate, std::string_view what, Timestamp at) {
  if (at > certificate.not_after)
    return refused("endorsement.path.expired", fmt::format("{} expired at {}; it is judged at {}", what,
                                                           to_rfc3339(certificate.not_after), to_rfc3339(at)));
  if (at < certificate.not_before)
    return refused("endorsement.path.not-yet-valid", fmt::format("{} is valid from {}; it is judged at {}", what,
                                                                 to_rfc3339(certificate.not_before), to_rfc3339(at)));
  return {};
}

Status check_times(const WholePath& path, JudgedAt at, std::vector<Finding>& findings) {
  if (!at) {
    note(findings, Finding::kTimeNotChecked);
    return {};
  }
  TRY_STATUS(check_time(path.leaf.x509(), "the EK certificate", *at));
  for (const X509Certificate* authority : path.authorities)
    TRY_STATUS(check_time(*authority, fmt::format("\"{}\"", authority->subject.text()), *at));
  return {};
}

// Without a time the distrust of today counts.
Status check_distrust(const WholePath& path, const RootStore& store, JudgedAt at) {
  for (const X509Certificate* authority : path.authorities) {
    const Distrust* distrust = store.find_distrust(*authority);
    if (distrust != nullptr && (!at || *at >= distrust->since))
      return refused("endorsement.path.distrusted",
                     fmt::format("\"{}\" is not trusted since {}: {}", authority->subject.text(),
                                 to_rfc3339(distrust->since), distrust->reason));
  }
  return {};
}

Status check_revoked(const X509Certificate& certificate, const X509Certificate& issuer, const RootStore& store,
                     JudgedAt at, std::vector<Finding>& findings) {
  bool has_crl = false;
  bool has_fresh_crl = false;
  const bool may_sign = !issuer.extensions.key_usage || issuer.extensions.may(KeyUsage::kCrlSign);
  for (const RevocationList* crl : store.crls_of(issuer)) {
    if (!may_sign || !crl->signed_by(issuer)) continue;
    if (crl->revokes(certificate.serial))
      return refused("endorsement.path.revoked", fmt::format("\"{}\" revoked the certificate with the number {}",
                                                             issuer.subject.text(), to_hex(certificate.serial)));
    if (crl->is_partial()) continue;
    has_crl = true;
    has_fresh_crl |= !at || !crl->next_update() || *at <= *crl->next_update();
  }
  if (!has_crl) note(findings, Finding::kRevocationUnknown);
  if (has_crl && !has_fresh_crl) note(findings, Finding::kRevocationStale);
  return {};
}

Status check_revocation(const WholePath& path, const RootStore& store, JudgedAt at, std::vector<Finding>& findings) {
  const X509Certificate* child = &path.leaf.x509();
  for (const X509Certificate* authority : path.authorities) {
    TRY_STATUS(check_revoked(*child, *authority, store, at, findings));
    child = authority;
  }
  return {};
}

// The root's own signature proves nothing: it is trusted by itself.
void note_weak_signatures(const WholePath& path, std::vector<Finding>& findings) {
  const X509Certificate* child = &path.leaf.x509();
  for (const X509Certificate* authority : path.authorities) {
    if (child->signature_scheme && child->signature_scheme->hash == crypto::HashAlgorithm::kSha1)
      note(findings, Finding::kSha1Signature);
    child = authority;
  }
}

// Who the path names: its root, or below a root of somebody who certifies for others (GlobalSign, Microsoft) the first
// authority that names another. An authority further down cannot make itself somebody else.
const Vendor* maker_of_path(const WholePath& path) {
  if (const Vendor* maker = maker_of_root(path.root.certificate.subject)) return maker;
  const Vendor* maker = vendor_named_by(path.root.certificate.subject);
  for (auto authority = path.authorities.rbegin() + 1; authority < path.authorities.rend(); ++authority) {
    const Vendor* named = vendor_named_by((*authority)->subject);
    if (named != nullptr && named != maker) return named;
  }
  return maker;
}

bool names(const WholePath& path, std::string_view word) {
  return std::ranges::any_of(path.authorities, [&](const X509Certificate* authority) {
    return authority->subject.find("2.5.4.3").find(word) != std::string_view::npos;
  });
}

// From the path, which is proved, and from the vendor only as far as the path names the same.
TpmClass class_of(const WholePath& path, VendorId vendor) {
  const Vendor* known = find_vendor(vendor);
  if (known == nullptr) return TpmClass::kUnknown;
  if (known->name == "AMD" || known->name == "Microsoft") {
    if (names(path, "Pluton")) return TpmClass::kIntegrated;
    if (names(path, "Virtual TPM")) return TpmClass::kVirtual;
  }
  return known->tpm_class;
}

Result<Maker> check_maker(const WholePath& path) {
  const VendorId vendor = *path.leaf.tpm().vendor();  // check_purpose() has seen it
  const auto& allowed = path.root.vendors;
  const Vendor* maker = maker_of_path(path);
  const bool agrees = allowed.empty() ? maker != nullptr && is_same_maker(*maker, vendor)
                                      : std::ranges::find(allowed, vendor) != allowed.end();
  if (agrees) return Maker{vendor, class_of(path, vendor)};
  if (allowed.empty() && maker == nullptr)
    return refused("endorsement.path.vendor",
                   fmt::format("the path to \"{}\" names nobody who makes TPMs, and the operator did not say whom it "
                               "speaks for",
                               path.root.certificate.subject.text()));
  return refused("endorsement.path.vendor", fmt::format("the path to \"{}\" does not speak for TPMs of {}",
                                                        path.root.certificate.subject.text(), vendor.text()));
}

}  // namespace

const Vendor* maker_of_root(const Name& root) {
  const Vendor* named = vendor_named_by(root);
  return named != nullptr && !named->certifies_others ? named : nullptr;
}

Result<Maker> check_path(const WholePath& path, const RootStore& store, JudgedAt at, std::vector<Finding>& findings) {
  TRY_STATUS(check_authorities(path));
  TRY_STATUS(check_distrust(path, store, at));
  TRY_STATUS(check_revocation(path, store, at, findings));
  TRY_STATUS(check_times(path, at, findings));
  note_weak_signatures(path, findings);
  return check_maker(path);
}

}  // namespace warifu::endorsement
