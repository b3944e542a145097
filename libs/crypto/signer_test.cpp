#include "crypto/signer.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <optional>

#include "crypto/certificate.h"
#include "crypto/digest_signature.h"
#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

EcPublicKey point_of(const PrivateKey& key) {
  return ec_public_key(key.public_key()).value();
}

// What an HSM does, with a key of this process.
Signer outside(const PrivateKey& key, int* asked = nullptr) {
  auto kept = std::make_shared<Signer>(key);
  return Signer::outside(point_of(key), [kept, asked](const Digest& digest) -> Result<Bytes> {
    if (asked != nullptr) ++*asked;
    return sign_digest(*kept, digest);
  });
}

CertificateProfile profile(bool is_ca) {
  const Timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 30}};
  return {.common_name = "test", .not_before = now, .not_after = now + std::chrono::days{1}, .is_ca = is_ca};
}

class Signers : public testing::TestWithParam<KeyKind> {};

TEST_P(Signers, OfAKeyElsewhereSignsAsTheKeyItself) {
  const auto key = PrivateKey::generate(GetParam());
  int asked = 0;
  const auto signer = outside(key, &asked);
  EXPECT_EQ(signer.public_key(), key.public_key());
  const auto signature = signer.sign(as_bytes("message"));
  ASSERT_TRUE(signature) << to_string(signature.error());
  EXPECT_TRUE(key.public_key().verify(as_bytes("message"), *signature));
  EXPECT_FALSE(key.public_key().verify(as_bytes("another"), *signature));
  EXPECT_EQ(asked, 1);
}

TEST_P(Signers, OfAKeyElsewhereIssuesCertificates) {
  const auto key = PrivateKey::generate(GetParam());
  SystemEntropy entropy;
  const auto signer = outside(key);
  const auto root = issue_certificate(profile(true), signer.public_key(), nullptr, signer, entropy);
  ASSERT_TRUE(root) << to_string(root.error());
  const auto leaf_key = PrivateKey::generate(KeyKind::kEcP256);
  const auto leaf = issue_certificate(profile(false), leaf_key.public_key(), &*root, signer.clone(), entropy);
  ASSERT_TRUE(leaf) << to_string(leaf.error());
  EXPECT_TRUE(leaf->issued_by(*root));
}

INSTANTIATE_TEST_SUITE_P(Curves, Signers, testing::Values(KeyKind::kEcP256, KeyKind::kEcP384));

TEST(Signer, SaysWhyAKeyElsewhereDidNotSign) {
  const auto key = PrivateKey::generate(KeyKind::kEcP256);
  const auto signer = Signer::outside(point_of(key), [](const Digest&) -> Result<Bytes> {
    return Error{ErrorKind::kThrottled, "test.limit", "too many"};
  });
  const auto refused = signer.sign(as_bytes("message"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "test.limit");
  EXPECT_EQ(refused.error().kind, ErrorKind::kThrottled);
  SystemEntropy entropy;
  const auto certificate = issue_certificate(profile(true), signer.public_key(), nullptr, signer, entropy);
  ASSERT_FALSE(certificate);
  EXPECT_EQ(certificate.error().code, "test.limit");
}

TEST(Signer, TellsAFailureOnceAndNotOfAnotherKey) {
  const auto key = PrivateKey::generate(KeyKind::kEcP256);
  const auto broken = Signer::outside(point_of(key), [](const Digest&) -> Result<Bytes> {
    return Error{ErrorKind::kThrottled, "test.limit", "too many"};
  });
  // As TLS does, which does not ask why.
  const auto fail = [&] {
    const MdCtxHandle context(EVP_MD_CTX_new());
    Bytes out(200);
    std::size_t size = out.size();
    EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, broken.native()), 1);
    EXPECT_NE(EVP_DigestSign(context.get(), out.data(), &size, nullptr, 0), 1);
  };
  fail();
  EXPECT_EQ(Signer::failure().code, "test.limit");
  EXPECT_EQ(Signer::failure().code, "crypto.signer");
  const Signer other(key);
  fail();
  EXPECT_TRUE(other.sign(as_bytes("message")));
  EXPECT_EQ(Signer::failure().code, "crypto.signer");
  fail();
  EXPECT_TRUE(sign_digest(other, Digest(HashAlgorithm::kSha256)));
  EXPECT_EQ(Signer::failure().code, "crypto.signer");
  fail();
  SystemEntropy entropy;
  EXPECT_TRUE(issue_certificate(profile(true), other.public_key(), nullptr, other, entropy));
  EXPECT_EQ(Signer::failure().code, "crypto.signer");
}

TEST(Signer, MayBeDuplicatedByOpenSsl) {
  const auto key = PrivateKey::generate(KeyKind::kEcP256);
  int asked = 0;
  std::optional<Signer> signer = outside(key, &asked);
  const PkeyHandle twin(EVP_PKEY_dup(signer->native()));
  ASSERT_NE(twin, nullptr);
  signer.reset();
  const MdCtxHandle context(EVP_MD_CTX_new());
  Bytes signature(200);
  std::size_t size = signature.size();
  ASSERT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, twin.get()), 1);
  ASSERT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, as_bytes("message").data(), 7), 1);
  signature.resize(size);
  EXPECT_TRUE(key.public_key().verify(as_bytes("message"), signature));
  EXPECT_EQ(asked, 1);
}

TEST(Signer, TakesNoSignatureOfAnotherKeyOrDigest) {
  const auto key = PrivateKey::generate(KeyKind::kEcP384);
  const Signer other(PrivateKey::generate(KeyKind::kEcP384));
  const auto foreign = Signer::outside(point_of(key), [&](const Digest& digest) { return sign_digest(other, digest); });
  EXPECT_EQ(foreign.sign(as_bytes("message")).error().code, "crypto.signer");
  const Signer same(key);
  const auto careless = Signer::outside(point_of(key), [&](const Digest& digest) {
    Digest changed = digest;
    changed.writable()[0] ^= 1;
    return sign_digest(same, changed);
  });
  EXPECT_EQ(careless.sign(as_bytes("message")).error().code, "crypto.signer");
  const auto garbage = Signer::outside(point_of(key), [](const Digest&) -> Result<Bytes> { return Bytes(300, 0x30); });
  EXPECT_EQ(garbage.sign(as_bytes("message")).error().code, "crypto.signer");
}

TEST(Signer, OfAKeyInThisProcessSignsLikeIt) {
  const auto key = PrivateKey::generate(KeyKind::kRsa2048);
  const Signer signer(key);
  EXPECT_TRUE(key.public_key().verify(as_bytes("message"), signer.sign(as_bytes("message")).value()));
}

}  // namespace
}  // namespace warifu::crypto
