#include "crypto/digest_signature.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
Status verify_digest_signature(const PublicKey& key, HashAlgorithm hash, ByteView digest, ByteView signature) {
  if (digest.size() != digest_size(hash))
    return invalid_input("crypto.signature.digest", fmt::format("expected the {} bytes of a {} digest, got {}",
                                                                digest_size(hash), to_string(hash), digest.size()));
  const PkeyCtxHandle context(EVP_PKEY_CTX_new(key.native(), nullptr));
  require(context != nullptr && EVP_PKEY_verify_init(context.get()) == 1, "EVP_PKEY_verify_init");
  if (EVP_PKEY_is_a(key.native(), "RSA") == 1)
    require(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1, "RSASSA-PKCS1-v1_5");
  // An OpenSSL without that hash for that key (SM3 with RSA) cannot say that the signature is right.
  const bool is_right =
      EVP_PKEY_CTX_set_signature_md(context.get(), evp_digest(hash)) == 1 &&
      EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
  if (is_right) return {};
  ERR_clear_error();
  return Error{ErrorKind::kRefused, "crypto.signature", "this key did not make this signature on this digest"};
}

Digest subject_key_id(const PublicKey& key) {
  X509_PUBKEY* raw = nullptr;
  require(X509_PUBKEY_set(&raw, key.native()) == 1, "X509_PUBKEY_set");
  const Handle<X509_PUBKEY, X509_PUBKEY_free> spki(raw);
  const unsigned char* bits = nullptr;
  int size = 0;
  require(X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, spki.get()) == 1, "X509_PUBKEY_get0_param");
  return digest(HashAlgorithm::kSha1, {ByteView(bits, static_cast<std::size_t>(size))});
}

}  // namespace warifu::crypto
