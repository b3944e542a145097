#include "ek_trust/identity.h"

#include "crypto/digest.h"
#include "endorsement/ek/root_store.h"

namespace warifu::ek_trust {

Bytes sha256_of(ByteView bytes) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes());
}

Bytes name_digest(const endorsement::Name& name) {
  return sha256_of(name.der());
}

Bytes key_digest(const endorsement::X509Certificate& certificate) {
  const std::string numbers = endorsement::key_numbers(certificate.key);
  return numbers.empty() ? sha256_of(certificate.der()) : sha256_of(as_bytes(numbers));
}

Result<endorsement::X509Certificate> certificate_of(const Authority& authority) {
  auto certificate = endorsement::X509Certificate::parse(authority.certificate);
  if (!certificate)
    return Error{ErrorKind::kInternal, "store.corrupt", certificate.error().message, "ek_authorities.certificate"};
  return certificate;
}

}  // namespace warifu::ek_trust
