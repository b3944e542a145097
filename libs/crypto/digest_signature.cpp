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

Result<Bytes> sign_digest(const Signer& key, const Digest& digest) {
  const EVP_MD* hash = signature_digest(key.native());
  if (hash != evp_digest(digest.algorithm()))
    return invalid_input("crypto.signature.digest", fmt::format("this key signs {} digests, not {}",
                                                                EVP_MD_get0_name(hash), to_string(digest.algorithm())));
  const PkeyCtxHandle context(EVP_PKEY_CTX_new(key.native(), nullptr));
  require(context != nullptr && EVP_PKEY_sign_init(context.get()) == 1 &&
              EVP_PKEY_CTX_set_signature_md(context.get(), hash) == 1,
          "EVP_PKEY_sign_init");
  if (EVP_PKEY_is_a(key.native(), "RSA") == 1)
    require(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1, "RSASSA-PKCS1-v1_5");
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.native())));
  std::size_t size = signature.size();
  const ByteView bytes = digest.bytes();
  Signer::forget_failure();
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1) return Signer::failure();
  signature.resize(size);
  return signature;
}

Bytes ecdsa_der(ByteView r, ByteView s) {
  const Handle<ECDSA_SIG, ECDSA_SIG_free> numbers(ECDSA_SIG_new());
  require(numbers && ECDSA_SIG_set0(numbers.get(), to_bignum(r).release(), to_bignum(s).release()) == 1,
          "ECDSA_SIG_set0");
  return to_der_bytes<i2d_ECDSA_SIG>(numbers.get());
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
