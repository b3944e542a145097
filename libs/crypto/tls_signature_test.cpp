#include "crypto/tls_signature.h"

#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "crypto/openssl_handle.h"
#include "crypto/private_key.h"

namespace warifu::crypto {
namespace {

const Bytes kMessage = {'h', 'e', 'l', 'l', 'o'};

Bytes sign(const PrivateKey& key, const EVP_MD* hash, int padding = 0, int salt = RSA_PSS_SALTLEN_DIGEST) {
  const MdCtxHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  EVP_DigestSignInit(context.get(), &parameters, hash, nullptr, key.native());
  if (padding != 0) EVP_PKEY_CTX_set_rsa_padding(parameters, padding);
  if (padding == RSA_PKCS1_PSS_PADDING) EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt);
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.native())));
  std::size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, kMessage.data(), kMessage.size()), 1);
  signature.resize(size);
  return signature;
}

struct Keys {
  PrivateKey p256 = PrivateKey::generate(KeyKind::kEcP256);
  PrivateKey p384 = PrivateKey::generate(KeyKind::kEcP384);
  PrivateKey rsa = PrivateKey::generate(KeyKind::kRsa2048);
};

std::string verify(const PrivateKey& key, SignatureScheme scheme, ByteView message, ByteView signature) {
  const auto status = verify_tls_signature(key.public_key(), scheme, message, signature);
  return status ? "" : std::string(status.error().code);
}

TEST(TlsSignatures, AreVerifiedByTheirSchemeAndRefusedWhenAnythingDiffers) {
  const Keys keys;
  struct Row {
    const PrivateKey& key;
    SignatureScheme scheme;
    Bytes signature;
  };
  const Row rows[] = {
      {keys.p256, SignatureScheme::kEcdsaSecp256r1Sha256, sign(keys.p256, EVP_sha256())},
      {keys.p384, SignatureScheme::kEcdsaSecp384r1Sha384, sign(keys.p384, EVP_sha384())},
      {keys.rsa, SignatureScheme::kRsaPssRsaeSha256, sign(keys.rsa, EVP_sha256(), RSA_PKCS1_PSS_PADDING)},
      {keys.rsa, SignatureScheme::kRsaPssRsaeSha384, sign(keys.rsa, EVP_sha384(), RSA_PKCS1_PSS_PADDING)},
      {keys.rsa, SignatureScheme::kRsaPssRsaeSha512, sign(keys.rsa, EVP_sha512(), RSA_PKCS1_PSS_PADDING)},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(verify(row.key, row.scheme, kMessage, row.signature), "");
    EXPECT_EQ(verify(row.key, row.scheme, as_bytes("hellp"), row.signature), "crypto.signature");
    Bytes changed = row.signature;
    changed.back() ^= 1;
    EXPECT_EQ(verify(row.key, row.scheme, kMessage, changed), "crypto.signature");
    EXPECT_EQ(verify(row.key, row.scheme, kMessage, {}), "crypto.signature");
    for (const Row& other : rows) {
      const bool accepted = verify(row.key, other.scheme, kMessage, row.signature).empty();
      EXPECT_EQ(accepted, other.scheme == row.scheme);
    }
  }
}

TEST(TlsSignatures, AreBoundToTheCurveAndTheKindOfKey) {
  const Keys keys;
  EXPECT_EQ(verify(keys.p384, SignatureScheme::kEcdsaSecp256r1Sha256, kMessage, sign(keys.p384, EVP_sha256())),
            "crypto.tls.scheme");
  EXPECT_EQ(verify(keys.p256, SignatureScheme::kEcdsaSecp384r1Sha384, kMessage, sign(keys.p256, EVP_sha384())),
            "crypto.tls.scheme");
  EXPECT_EQ(verify(keys.p256, SignatureScheme::kRsaPssRsaeSha256, kMessage, sign(keys.p256, EVP_sha256())),
            "crypto.tls.scheme");
}

TEST(TlsSignatures, AreNoPkcs1AndHaveASaltAsLongAsTheHash) {
  const Keys keys;
  const auto scheme = SignatureScheme::kRsaPssRsaeSha256;
  EXPECT_EQ(verify(keys.rsa, scheme, kMessage, sign(keys.rsa, EVP_sha256(), RSA_PKCS1_PADDING)), "crypto.signature");
  EXPECT_EQ(verify(keys.rsa, scheme, kMessage, sign(keys.rsa, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 20)),
            "crypto.signature");
}

TEST(TlsSignatures, AreOfNoOtherScheme) {
  for (const int value : {0x0403, 0x0503, 0x0804, 0x0805, 0x0806})
    EXPECT_TRUE(signature_scheme(static_cast<std::uint16_t>(value))) << value;
  // rsa_pkcs1_*, *_sha1, secp521r1, rsa_pss_pss_*, ed25519, ed448
  for (const int value :
       {0, 0x0401, 0x0501, 0x0601, 0x0201, 0x0203, 0x0603, 0x0809, 0x080a, 0x080b, 0x0807, 0x0808, 0xffff})
    EXPECT_EQ(signature_scheme(static_cast<std::uint16_t>(value)).error().code, "crypto.tls.scheme") << value;
}

}  // namespace
}  // namespace warifu::crypto
