#include "crypto/signature_verifier.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstdio>
#include <random>

#include "crypto/openssl_handle.h"
#include "crypto/private_key.h"

// OpenSSL's EVP functions sign, ours verify: they share no code for padding.
namespace warifu::crypto {
namespace {

Bytes sign_rsa(const PrivateKey& key, const EVP_MD* hash, int padding, int salt, ByteView message) {
  const MdCtxHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EXPECT_EQ(EVP_DigestSignInit(context.get(), &key_context, hash, nullptr, key.native()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(key_context, padding), 1);
  if (padding == RSA_PKCS1_PSS_PADDING) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, salt), 1);
  }
  std::size_t size = 512;
  Bytes signature(size);
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()), 1);
  signature.resize(size);
  return signature;
}

const Bytes kMessage = to_bytes(as_bytes("what the TPM says"));

TEST(SignatureVerifier, TakesWhatOpenSslSignsWithRsaAndRefusesEachChangedByte) {
  const auto key = PrivateKey::generate(KeyKind::kRsa2048);
  const RsaVerifier verifier(*rsa_public_key(key));
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  struct Row {
    const EVP_MD* hash;
    HashAlgorithm ours;
    int padding;
    int salt;
  };
  for (const Row& row : {Row{EVP_sha1(), HashAlgorithm::kSha1, RSA_PKCS1_PADDING, 0},
                         Row{EVP_sha256(), HashAlgorithm::kSha256, RSA_PKCS1_PADDING, 0},
                         Row{EVP_sha384(), HashAlgorithm::kSha384, RSA_PKCS1_PADDING, 0},
                         Row{EVP_sha512(), HashAlgorithm::kSha512, RSA_PKCS1_PADDING, 0},
                         Row{EVP_sha256(), HashAlgorithm::kSha256, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST},
                         Row{EVP_sha256(), HashAlgorithm::kSha256, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_MAX},
                         Row{EVP_sha384(), HashAlgorithm::kSha384, RSA_PKCS1_PSS_PADDING, 0}}) {
    const bool pss = row.padding == RSA_PKCS1_PSS_PADDING;
    const Digest hashed = digest(row.ours, {kMessage});
    const auto judge = [&](const Digest& of, ByteView signature) {
      return pss ? verifier.verify_pss(of, signature) : verifier.verify_pkcs1(of, signature);
    };
    Bytes signature = sign_rsa(key, row.hash, row.padding, row.salt, kMessage);
    ASSERT_TRUE(judge(hashed, signature));
    EXPECT_FALSE(judge(digest(row.ours, {kMessage, kMessage}), signature));
    EXPECT_FALSE(pss ? verifier.verify_pkcs1(hashed, signature) : verifier.verify_pss(hashed, signature));
    EXPECT_FALSE(judge(hashed, ByteView(signature).first(255)));
    for (std::size_t i = 0; i < signature.size(); ++i) {
      const std::uint8_t bit = static_cast<std::uint8_t>(1u << random() % 8);
      signature[i] ^= bit;
      EXPECT_FALSE(judge(hashed, signature)) << "byte " << i;
      signature[i] ^= bit;
    }
    signature.push_back(0);
    EXPECT_FALSE(judge(hashed, signature));
  }
}

// SEQUENCE of two INTEGERs, as PrivateKey::sign() makes it.
std::pair<Bytes, Bytes> numbers_of(ByteView der) {
  const std::size_t r_size = der[3];
  const Bytes r = to_bytes(der.subspan(4, r_size));
  const Bytes s = to_bytes(der.subspan(4 + r_size + 2));
  const auto trimmed = [](Bytes number) {
    if (number[0] == 0) number.erase(number.begin());
    return number;
  };
  return {trimmed(r), trimmed(s)};
}

TEST(SignatureVerifier, TakesEcdsaOnBothCurvesAndNothingOutOfRange) {
  for (const auto kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const auto key = PrivateKey::generate(kind);
    const EcdsaVerifier verifier(EcKeyPair::from_private_key(key)->public_key());
    const auto hash = kind == KeyKind::kEcP256 ? HashAlgorithm::kSha256 : HashAlgorithm::kSha384;
    const Digest hashed = digest(hash, {kMessage});
    const auto [r, s] = numbers_of(key.sign(kMessage));
    ASSERT_TRUE(verifier.verify(hashed, r, s));
    EXPECT_FALSE(verifier.verify(digest(hash, {kMessage, kMessage}), r, s));
    EXPECT_FALSE(verifier.verify(hashed, s, r));
    EXPECT_FALSE(verifier.verify(hashed, {}, s));
    EXPECT_FALSE(verifier.verify(hashed, r, Bytes(coordinate_size(verifier.curve()), 0)));
    EXPECT_FALSE(verifier.verify(hashed, r, Bytes(coordinate_size(verifier.curve()), 0xff)));
    EXPECT_FALSE(verifier.verify(hashed, r, Bytes(coordinate_size(verifier.curve()) + 1, 0)));
  }
}

}  // namespace
}  // namespace warifu::crypto
