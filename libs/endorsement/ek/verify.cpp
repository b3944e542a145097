#include "endorsement/ek/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "endorsement/ek/path_rules.h"

namespace warifu::endorsement {
namespace {

constexpr unsigned kMaxSignatures = 64;

std::string who(const X509Certificate& certificate) {
  return certificate.subject.empty() ? "the EK certificate" : fmt::format("\"{}\"", certificate.subject.text());
}

bool key_ids_match(const X509Certificate& child, const X509Certificate& authority) {
  return child.extensions.authority_key_id && child.extensions.authority_key_id == authority.extensions.subject_key_id;
}

MissingAuthority describe(const X509Certificate& child) {
  const auto& key_id = child.extensions.authority_key_id;
  return {child.issuer.text(), key_id ? to_hex(*key_id) : std::string(), child.extensions.issuer_urls, who(child)};
}

}  // namespace

Error unproven(const X509Certificate& child, bool had_names) {
  if (had_names)
    return refused(
        "endorsement.path.signature",
        fmt::format("authorities named \"{}\" are there, and none of them signed {}", child.issuer.text(), who(child)));
  const MissingAuthority wanted = describe(child);
  return refused("endorsement.path.missing-ca",
                 fmt::format("the authority \"{}\" (key {}) that issued {} is not there{}", wanted.name,
                             wanted.key_id.empty() ? "not named" : wanted.key_id, wanted.wanted_by,
                             wanted.urls.empty() ? "" : "; it may be at " + wanted.urls.front()));
}

// A search in depth. What is worth telling is the refusal of a whole path; without one, where the furthest ended.
class PathSearch {
 public:
  PathSearch(const EkCertificate& leaf, const RootStore& store, JudgedAt at) : leaf_(leaf), store_(store), at_(at) {}

  Result<VerifiedEkCertificate> run(std::optional<MissingAuthority>* missing) {
    if (auto found = extend(leaf_.x509())) return std::move(*found);
    return why_none(missing);
  }

  Result<std::vector<VerifiedEkCertificate>> run_through() {
    goes_on_ = true;
    extend(leaf_.x509());
    if (found_.empty()) return why_none(nullptr);
    return std::move(found_);
  }

 private:
  Error why_none(std::optional<MissingAuthority>* missing) const {
    if (path_error_) return *path_error_;
    if (dead_end_ == nullptr || signatures_ >= kMaxSignatures)
      return refused("endorsement.path.too-long",
                     fmt::format("no path was found within {} authorities and {} signatures", kPathAuthoritiesMax,
                                 kMaxSignatures));
    if (!dead_end_had_names_ && missing != nullptr) *missing = describe(*dead_end_);
    return unproven(*dead_end_, dead_end_had_names_);
  }

  bool proves(const X509Certificate& child, const X509Certificate& authority) {
    if (signatures_ >= kMaxSignatures) return false;
    ++signatures_;
    return child.signed_by(authority);
  }

  bool is_in_path(const X509Certificate& authority) const {
    return std::ranges::any_of(path_,
                               [&](const auto* there) { return std::ranges::equal(there->der(), authority.der()); });
  }

  std::optional<VerifiedEkCertificate> extend(const X509Certificate& child) {
    if (path_.size() >= kPathAuthoritiesMax) return std::nullopt;
    bool has_issuer = false;
    const auto roots = store_.roots_named(child.issuer);
    for (const TrustedRoot* root : roots) {
      if (is_in_path(root->certificate) || !proves(child, root->certificate)) continue;
      has_issuer = true;
      path_.push_back(&root->certificate);
      auto verified = judge(*root);
      path_.pop_back();
      if (verified) return verified;
    }
    auto intermediates = store_.intermediates_named(child.issuer);
    std::stable_partition(intermediates.begin(), intermediates.end(),
                          [&](const auto* candidate) { return key_ids_match(child, *candidate); });
    for (const X509Certificate* candidate : intermediates) {
      if (is_in_path(*candidate) || !proves(child, *candidate)) continue;
      has_issuer = true;
      path_.push_back(candidate);
      auto verified = extend(*candidate);
      path_.pop_back();
      if (verified) return verified;
    }
    // A certificate that names itself is no authority for itself.
    const auto is_other = [&](const X509Certificate* there) { return !std::ranges::equal(there->der(), child.der()); };
    if (!has_issuer) remember_dead_end(child, !roots.empty() || std::ranges::any_of(intermediates, is_other));
    return std::nullopt;
  }

  void remember_dead_end(const X509Certificate& child, bool had_names) {
    if (dead_end_ != nullptr && path_.size() <= dead_end_depth_) return;
    dead_end_ = &child;
    dead_end_depth_ = path_.size();
    dead_end_had_names_ = had_names;
  }

  std::optional<VerifiedEkCertificate> judge(const TrustedRoot& root) {
    std::vector<Finding> findings = leaf_.findings();
    auto judged = check_path({leaf_, path_, root}, store_, at_, findings);
    if (!judged) {
      // The first path that is whole is the one that its owner meant.
      if (!path_error_) path_error_ = std::move(judged).error();
      return std::nullopt;
    }
    std::vector<X509Certificate> authorities;
    for (const auto* authority : path_)
      authorities.push_back(*authority);
    VerifiedEkCertificate verified(leaf_, std::move(authorities), judged->vendor, judged->tpm_class,
                                   std::move(findings));
    if (!goes_on_) return verified;
    found_.push_back(std::move(verified));
    return std::nullopt;
  }

  const EkCertificate& leaf_;
  const RootStore& store_;
  JudgedAt at_;
  bool goes_on_ = false;  // past the first path that holds
  std::vector<VerifiedEkCertificate> found_;
  std::vector<const X509Certificate*> path_;
  unsigned signatures_ = 0;
  std::optional<Error> path_error_;
  const X509Certificate* dead_end_ = nullptr;
  std::size_t dead_end_depth_ = 0;
  bool dead_end_had_names_ = false;
};

Result<VerifiedEkCertificate> verify(const EkCertificate& certificate, const RootStore& store, JudgedAt at,
                                     std::optional<MissingAuthority>* missing) {
  TRY_STATUS(certificate.check_purpose());
  return PathSearch(certificate, store, at).run(missing);
}

Result<std::vector<VerifiedEkCertificate>> verify_all(const EkCertificate& certificate, const RootStore& store,
                                                      JudgedAt at) {
  TRY_STATUS(certificate.check_purpose());
  return PathSearch(certificate, store, at).run_through();
}

}  // namespace warifu::endorsement
