#include "crypto/tls_signature.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

struct Method {
  const EVP_MD* hash;
  int curve_bits;  // 0: RSASSA-PSS
};

Method method_of(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kEcdsaSecp256r1Sha256:
      return {EVP_sha256(), 256};
    case SignatureScheme::kEcdsaSecp384r1Sha384:
      return {EVP_sha384(), 384};
    case SignatureScheme::kRsaPssRsaeSha256:
      return {EVP_sha256(), 0};
    case SignatureScheme::kRsaPssRsaeSha384:
      return {EVP_sha384(), 0};
    case SignatureScheme::kRsaPssRsaeSha512:
      return {EVP_sha512(), 0};
  }
  std::abort();
}

// A PublicKey is EC P-256, EC P-384 or RSA and nothing else, so its size tells the curve.
bool fits(EVP_PKEY* key, const Method& method) {
  if (method.curve_bits == 0) return EVP_PKEY_is_a(key, "RSA") == 1;
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == method.curve_bits;
}

}  // namespace

Result<SignatureScheme> signature_scheme(std::uint16_t value) {
  switch (const auto scheme = static_cast<SignatureScheme>(value)) {
    case SignatureScheme::kEcdsaSecp256r1Sha256:
    case SignatureScheme::kEcdsaSecp384r1Sha384:
    case SignatureScheme::kRsaPssRsaeSha256:
    case SignatureScheme::kRsaPssRsaeSha384:
    case SignatureScheme::kRsaPssRsaeSha512:
      return scheme;
  }
  return Error{
      ErrorKind::kRefused, "crypto.tls.scheme",
      fmt::format("expected ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384 or rsa_pss_rsae_sha256, 384 or 512, "
                  "scheme {:#06x} came",
                  value)};
}

Status verify_tls_signature(const PublicKey& key, SignatureScheme scheme, ByteView message, ByteView signature) {
  const Method method = method_of(scheme);
  if (!fits(key.native(), method))
    return Error{ErrorKind::kRefused, "crypto.tls.scheme", "the signature scheme is for another kind of key"};
  const MdCtxHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  require(
      context != nullptr && EVP_DigestVerifyInit(context.get(), &parameters, method.hash, nullptr, key.native()) == 1,
      "EVP_DigestVerifyInit");
  if (method.curve_bits == 0)
    require(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1,
            "RSASSA-PSS");
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1)
    return {};
  ERR_clear_error();
  return Error{ErrorKind::kRefused, "crypto.signature", "this key did not make this signature on this message"};
}

}  // namespace warifu::crypto
