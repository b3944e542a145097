#include "crypto/private_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

#include "crypto/openssl_handle.h"
#include "crypto/signer.h"

namespace warifu::crypto {
namespace {

using Pkcs8Handle = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using EncryptedPkcs8Handle = Handle<X509_SIG, X509_SIG_free>;
using AlgorithmHandle = Handle<X509_ALGOR, X509_ALGOR_free>;

// Without it OpenSSL would ask on the terminal when an encrypted file comes where a plain one is expected.
int refuse_to_ask(char*, int, int, void*) {
  return -1;
}

// As much work per guess as OWASP asks for, with the memory (16 MiB) that `openssl pkey` allows by default.
constexpr std::uint64_t kScryptN = 1 << 14;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 5;

EVP_PKEY* generate_native(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEcP256:
      return EVP_EC_gen("P-256");
    case KeyKind::kEcP384:
      return EVP_EC_gen("P-384");
    case KeyKind::kRsa2048:
      return EVP_RSA_gen(2048u);
    case KeyKind::kRsa3072:
      return EVP_RSA_gen(3072u);
  }
  std::abort();
}

Error not_pem(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.key.pem", std::move(message));
}

}  // namespace

PrivateKey PrivateKey::generate(KeyKind kind) {
  PkeyHandle key(generate_native(kind));
  require(key != nullptr, "key generation");
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::checked(PkeyHandle key) {
  // Its public half is held to the same kinds and sizes.
  TRY([[maybe_unused]] const PublicKey public_key, PublicKey::from_spki(to_der_bytes<i2d_PUBKEY>(key.get())));
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::from_pem(const SecretBytes& pem) {
  const BioHandle bio = read_only_bio(pem.reveal());
  PkeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_to_ask, nullptr));
  if (key == nullptr) return not_pem("expected a private key in PEM that is not encrypted");
  return checked(std::move(key));
}

Result<PrivateKey> PrivateKey::from_encrypted_pem(std::string_view pem, const SecretBytes& passphrase) {
  const BioHandle bio = read_only_bio(as_bytes(pem));
  const EncryptedPkcs8Handle encrypted(PEM_read_bio_PKCS8(bio.get(), nullptr, refuse_to_ask, nullptr));
  if (encrypted == nullptr) return not_pem("expected BEGIN ENCRYPTED PRIVATE KEY (PKCS #8)");
  const ByteView password = passphrase.reveal();
  const Pkcs8Handle plain(PKCS8_decrypt(encrypted.get(), as_text(password).data(), to_int(password.size())));
  if (plain == nullptr) {
    ERR_clear_error();
    return Error{ErrorKind::kRefused, "crypto.key.passphrase", "the passphrase does not open this private key"};
  }
  PkeyHandle key(EVP_PKCS82PKEY(plain.get()));
  if (key == nullptr) return not_pem("the encrypted content is not a private key");
  return checked(std::move(key));
}

SecretBytes PrivateKey::to_pem() const {
  const BioHandle bio = memory_bio();
  require(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "PEM_write_bio_PKCS8PrivateKey");
  return SecretBytes(content_of(bio));
}

std::string PrivateKey::to_encrypted_pem(const SecretBytes& passphrase, Entropy& entropy) const {
  std::array<std::uint8_t, 16> salt{};
  std::array<std::uint8_t, 16> iv{};
  entropy.fill(salt);
  entropy.fill(iv);
  AlgorithmHandle algorithm(PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt.data(), to_int(salt.size()), iv.data(),
                                                  kScryptN, kScryptR, kScryptP));
  require(algorithm != nullptr, "PKCS5_pbe2_set_scrypt");
  const Pkcs8Handle plain(EVP_PKEY2PKCS8(key_.get()));
  require(plain != nullptr, "EVP_PKEY2PKCS8");
  const ByteView password = passphrase.reveal();
  const EncryptedPkcs8Handle encrypted(
      PKCS8_set0_pbe(as_text(password).data(), to_int(password.size()), plain.get(), algorithm.get()));
  require(encrypted != nullptr, "PKCS8_set0_pbe");
  static_cast<void>(algorithm.release());  // owned by `encrypted` from here on

  const BioHandle bio = memory_bio();
  require(PEM_write_bio_PKCS8(bio.get(), encrypted.get()) == 1, "PEM_write_bio_PKCS8");
  return std::string(as_text(content_of(bio)));
}

PublicKey PrivateKey::public_key() const {
  // By way of its bytes, so that no private number is reachable from the result.
  auto key = PublicKey::from_spki(to_der_bytes<i2d_PUBKEY>(key_.get()));
  require(key.has_value(), "the public half of a private key");
  return std::move(*key);
}

Bytes PrivateKey::sign(ByteView message) const {
  auto signature = Signer(*this).sign(message);
  require(signature.has_value(), "a signature by a key at hand");
  return std::move(*signature);
}

}  // namespace warifu::crypto
