#include "provisioning/certificate_proof.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/certificate_path.h"

namespace warifu::provisioning {
namespace {

// As crypto::verify_certificate_path() takes.
constexpr std::size_t kChainSizeMax = 8;

Error unauthenticated(std::string_view code, std::string message) {
  return {ErrorKind::kUnauthenticated, code, std::move(message)};
}

std::string upper_hex(ByteView bytes) {
  std::string text = to_hex(bytes);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  return text;
}

bool names_an_issuer(const ClientChain& chain, const crypto::Certificate& authority) {
  return std::ranges::any_of(chain, [&](const auto& certificate) { return certificate.names_as_issuer(authority); });
}

Status check_validity(const crypto::Certificate& leaf, Timestamp now) {
  if (now > leaf.not_after())
    return Error{ErrorKind::kRefused, "certificate.expired",
                 fmt::format("the device's certificate expired at {}; the server's time is {}",
                             to_rfc3339(leaf.not_after()), to_rfc3339(now))};
  if (now < leaf.not_before())
    return Error{ErrorKind::kRefused, "certificate.not_yet_valid",
                 fmt::format("the device's certificate is valid from {}; the server's time is {}",
                             to_rfc3339(leaf.not_before()), to_rfc3339(now))};
  return {};
}

}  // namespace

CertificateInfo info_of(const crypto::Certificate& certificate) {
  return {certificate.subject(),
          certificate.issuer(),
          upper_hex(certificate.fingerprint_sha1().bytes()),
          upper_hex(certificate.fingerprint_sha256().bytes()),
          upper_hex(certificate.serial()),
          certificate.not_before(),
          certificate.not_after(),
          certificate.version()};
}

Result<std::shared_ptr<const crypto::Certificate>> CertificateCache::get(ByteView der) {
  const std::string key(as_text(der));
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = certificates_.find(key); found != certificates_.end()) return found->second;
  }
  TRY(auto parsed, crypto::Certificate::from_der(der));
  auto certificate = std::make_shared<const crypto::Certificate>(std::move(parsed));
  const std::lock_guard lock(mutex_);
  // Enrolled authorities are few; whoever enrols more pays for decoding.
  if (certificates_.size() >= kSizeMax) certificates_.clear();
  certificates_.insert_or_assign(key, certificate);
  return certificate;
}

Result<ClientChain> client_chain_of(const Claim& claim) {
  if (!claim.chain || claim.chain->empty())
    return unauthenticated("certificate.missing",
                           "this registration ID proves itself by a client certificate: none came");
  if (claim.chain->size() > kChainSizeMax)
    return unauthenticated("certificate.form", fmt::format("expected at most {} certificates, {} came", kChainSizeMax,
                                                           claim.chain->size()));
  ClientChain chain;
  for (const Bytes& der : *claim.chain) {
    auto certificate = crypto::Certificate::from_der(der);
    if (!certificate)
      return unauthenticated("certificate.form",
                             fmt::format("certificate {}: {}", chain.size(), certificate.error().message));
    chain.push_back(*std::move(certificate));
  }
  const std::string name = chain.front().common_name();
  const auto id = RegistrationId::parse(name);
  if (!id || *id != claim.registration)
    return unauthenticated("certificate.name",
                           fmt::format("the certificate's common name is \"{}\", not the registration ID \"{}\"", name,
                                       claim.registration.text()));
  return chain;
}

Status check_enrolled_certificate(const ClientChain& chain, const CertificatePair& enrolled, Timestamp now) {
  const Bytes leaf = chain.front().to_der();
  if (leaf != enrolled.primary && leaf != enrolled.secondary) {
    auto error = unauthenticated("certificate.unknown",
                                 "the client certificate is not one that is enrolled under this registration ID");
    error.operator_detail = fmt::format("the device has the certificate with the SHA-256 {}",
                                        to_hex(chain.front().fingerprint_sha256().bytes()));
    return error;
  }
  return check_validity(chain.front(), now);
}

Status check_certificate_path(const ClientChain& chain, const CertificatePair& authorities, CertificateCache& cache,
                              Timestamp now) {
  Status verdict = unauthenticated("certificate.unknown", "no enrolled authority issued the client certificate");
  for (const Bytes* der : {&authorities.primary, authorities.secondary ? &*authorities.secondary : nullptr}) {
    if (der == nullptr) continue;
    TRY(const auto authority, cache.get(*der));
    if (!names_an_issuer(chain, *authority)) continue;
    verdict = crypto::verify_certificate_path(chain, *authority, crypto::ClientUse{}, {.now = now});
    if (verdict) return verdict;
  }
  return verdict;
}

}  // namespace warifu::provisioning
