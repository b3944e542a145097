#include "endorsement/ek/root_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "endorsement/ek/pem.h"
#include "tpm_types/stored_certificate.h"

namespace warifu::endorsement {
namespace {

constexpr std::size_t kMaxAuthorities = 20'000;
constexpr std::size_t kMaxCrls = 1'000;

template <class Map, class Get>
auto all_with(const Map& map, ByteView key, Get get) {
  std::vector<decltype(get(map.begin()->second))> found;
  const auto [begin, end] = map.equal_range(std::string(as_text(key)));
  for (auto it = begin; it != end; ++it)
    found.push_back(get(it->second));
  return found;
}

}  // namespace

std::string key_numbers(const SubjectKey& key) {
  if (const auto* rsa = std::get_if<RsaSubjectKey>(&key)) return std::string(as_text(rsa->modulus));
  if (const auto* ec = std::get_if<EcSubjectKey>(&key)) return std::string(as_text(ec->point));
  return {};
}

Status RootStore::check_room(const X509Certificate& certificate) const {
  if (!certificate.extensions.is_ca)
    return invalid_input(
        "endorsement.root.authority",
        fmt::format("expected the certificate of an authority (CA:TRUE), \"{}\" is none", certificate.subject.text()));
  if (roots_.size() + intermediates_.size() >= kMaxAuthorities)
    return invalid_input("endorsement.root.full", fmt::format("expected at most {} authorities", kMaxAuthorities));
  return {};
}

Status RootStore::add_root(X509Certificate certificate, std::vector<VendorId> vendors) {
  TRY_STATUS(check_room(certificate));
  if (certificate.is_self_issued() && !certificate.signed_by(certificate))
    return invalid_input(
        "endorsement.root.signature",
        fmt::format("\"{}\" names itself as its issuer, and its signature is not its own", certificate.subject.text()));
  for (const TrustedRoot* there : roots_named(certificate.subject))
    if (std::ranges::equal(there->certificate.der(), certificate.der())) return {};
  key_of_.emplace(certificate.fingerprint_sha256(), key_numbers(certificate.key));
  std::string key(as_text(certificate.subject.der()));
  roots_.emplace(std::move(key), TrustedRoot{std::move(certificate), std::move(vendors)});
  return {};
}

Status RootStore::add_intermediate(X509Certificate certificate) {
  TRY_STATUS(check_room(certificate));
  for (const X509Certificate* there : intermediates_named(certificate.subject))
    if (std::ranges::equal(there->der(), certificate.der())) return {};
  key_of_.emplace(certificate.fingerprint_sha256(), key_numbers(certificate.key));
  std::string key(as_text(certificate.subject.der()));
  intermediates_.emplace(std::move(key), std::move(certificate));
  return {};
}

Status RootStore::add_revocation_list(RevocationList crl) {
  if (crls_.size() >= kMaxCrls)
    return invalid_input("endorsement.root.full", fmt::format("expected at most {} CRLs", kMaxCrls));
  std::string key(as_text(crl.issuer().der()));
  crls_.emplace(std::move(key), std::move(crl));
  return {};
}

void RootStore::distrust(Distrust distrust) {
  const auto [there, is_new] = distrusted_.try_emplace(distrust.fingerprint_sha256, distrust);
  // The earlier one stands: distrust is not shortened by saying it again.
  if (!is_new && distrust.since < there->second.since) there->second = std::move(distrust);
}

void RootStore::distrust(const X509Certificate& authority, Timestamp since, std::string reason) {
  std::string fingerprint = authority.fingerprint_sha256();
  key_of_.emplace(fingerprint, key_numbers(authority.key));
  distrust({std::move(fingerprint), since, std::move(reason)});
}

std::vector<const TrustedRoot*> RootStore::roots_named(const Name& subject) const {
  return all_with(roots_, subject.der(), [](const TrustedRoot& root) { return &root; });
}

std::vector<const X509Certificate*> RootStore::intermediates_named(const Name& subject) const {
  return all_with(intermediates_, subject.der(), [](const X509Certificate& certificate) { return &certificate; });
}

std::vector<const RevocationList*> RootStore::crls_of(const X509Certificate& authority) const {
  return all_with(crls_, authority.subject.der(), [](const RevocationList& crl) { return &crl; });
}

const Distrust* RootStore::find_distrust(const X509Certificate& authority) const {
  if (distrusted_.empty()) return nullptr;
  const std::string fingerprint = authority.fingerprint_sha256();
  const std::string key = key_numbers(authority.key);
  const Distrust* earliest = nullptr;
  for (const auto& [of, distrust] : distrusted_) {
    const auto known = key_of_.find(of);
    const bool is_same_key = !key.empty() && known != key_of_.end() && known->second == key;
    if (of != fingerprint && !is_same_key) continue;
    if (earliest == nullptr || distrust.since < earliest->since) earliest = &distrust;
  }
  return earliest;
}

namespace {

// Bundles in the field have certificates with a byte or two after them.
Result<X509Certificate> parse_trimmed(ByteView content) {
  auto stored = tpm::stored_certificate(content);
  if (!stored)
    return invalid_input("endorsement.root.certificate",
                         fmt::format("expected the certificate of an authority: {}", stored.error().message),
                         stored.error().where);
  return X509Certificate::parse(stored->der);
}

}  // namespace

Result<std::vector<X509Certificate>> parse_certificates(ByteView content) {
  std::vector<X509Certificate> out;
  if (!looks_like_pem(content)) {
    TRY(auto certificate, parse_trimmed(content));
    out.push_back(std::move(certificate));
    return out;
  }
  TRY(const auto blocks, pem_blocks(as_text(content)));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].label != "CERTIFICATE") continue;
    auto certificate = parse_trimmed(blocks[i].content);
    if (!certificate) {
      Error error = std::move(certificate).error();
      error.where = fmt::format("block {}, {}", i + 1, error.where);
      return error;
    }
    out.push_back(std::move(*certificate));
  }
  if (out.empty()) return invalid_input("endorsement.pem", "expected certificates, there is none");
  return out;
}

}  // namespace warifu::endorsement
