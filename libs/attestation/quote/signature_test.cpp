// Pitfalls of docs/protocols/quotes.md: each accepting case has its refused twin.
#include <openssl/evp.h>

#include <random>

#include "attestation/quote/test_judge.h"
#include "sim/test_seed.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using crypto::KeyKind;

Bytes sign_sha1(const SoftwareAk& key, ByteView message) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha1(), nullptr, key.key.native()), 1);
  Bytes signature(256);
  std::size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()), 1);
  return wire::Writer().u16(0x0014).u16(0x0004).sized16(signature).take();
}

TEST(Quote, Q7_SchemeAndHashAreThoseOfTheAk) {
  const Bytes message = attest_of(fields());
  const SoftwareAk& rsa = ak_of(KeyKind::kRsa2048);
  const SoftwareAk& p256 = ak_of(KeyKind::kEcP256);
  const auto any = [&](const SoftwareAk& key, Bytes signature) {
    return verify({message, signature}, key.ak(), AnyNonce{});
  };
  ASSERT_TRUE(any(rsa, rsa.sign(message)));
  expect_code(any(rsa, rsa.sign(message, 0x0016, 0x000B)), "quote.scheme");
  expect_code(any(rsa, rsa.sign(message, 0x0014, 0x000C)), "quote.scheme");
  expect_code(any(rsa, p256.sign(message)), "quote.scheme");
  expect_code(any(p256, p256.sign(message, 0x0018, 0x000D)), "quote.scheme");
  expect_code(any(rsa, rsa.sign(message, 0x0014, 0x0004)), "quote.sha1");
  expect_code(any(rsa, rsa.sign(message, 0x0005, 0x000B)), "quote.signature-size", ErrorKind::kInvalidInput);
  expect_code(any(p256, p256.sign(message, 0x001A, 0x000B)), "tpm.signature.der", ErrorKind::kInvalidInput);
  // The same key with another scheme in its public area.
  const auto pss = AkPublic::from_tpm_public(rsa.tpmt(kAkAttributes, 0x0016, 0x000B)).value();
  expect_code(verify({message, rsa.sign(message)}, pss, AnyNonce{}), "quote.scheme");
  expect_code(verify({message, rsa.key.sign(message)}, pss, AnyNonce{}), "crypto.signature");
}

TEST(Quote, Q7_Sha1SignaturesOnlyForThoseWhoAskForThem) {
  const SoftwareAk& key = ak_of(KeyKind::kRsa2048);
  const Bytes message = attest_of(fields(HashAlgorithm::kSha1));
  const Bytes signature = sign_sha1(key, message);
  const Bytes area = key.tpmt(kAkAttributes, 0x0014, 0x0004);
  expect_code(AkPublic::from_tpm_public(area), "ak.sha1");
  expect_code(AkPublic::from_tpm_public(key.tpmt(kAkAttributes, 0x0014, 0x000B, 0x0004)), "ak.sha1");
  const auto ak = AkPublic::from_tpm_public(area, Sha1Use::kAllowed).value();
  EXPECT_TRUE(verify({message, signature}, ak, AnyNonce{}, Sha1Use::kAllowed));
  expect_code(verify({message, signature}, ak, AnyNonce{}), "quote.sha1");
  const auto pem = AkPublic::from_pem(key.key.public_key().to_pem()).value();
  EXPECT_TRUE(verify({message, signature}, pem, AnyNonce{}, Sha1Use::kAllowed));
  expect_code(verify({message, signature}, pem, AnyNonce{}), "quote.sha1");
  expect_code(verify({message, ByteView(signature).subspan(6)}, pem, AnyNonce{}), "quote.sha1");
}

TEST(Quote, Q7_EcdsaNumbersAreInRange) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const SoftwareAk& key = ak_of(kind);
    const Bytes message = attest_of(fields(key.hash));
    const Bytes der = key.key.sign(message);
    const auto right = tpm::parse_ecdsa_der(der).value();
    const std::size_t size = kind == KeyKind::kEcP256 ? 32 : 48;
    const auto with = [&](ByteView r, ByteView s) {
      const Bytes signature = wire::Writer()
                                  .u16(0x0018)
                                  .u16(static_cast<std::uint16_t>(tpm::algorithm_of(key.hash)))
                                  .sized16(r)
                                  .sized16(s)
                                  .take();
      return verify({message, signature}, key.ak(), AnyNonce{});
    };
    ASSERT_TRUE(with(right.r, right.s));
    EXPECT_TRUE(verify({message, der}, key.ak(), AnyNonce{})) << "DER";
    for (const Bytes& wrong : {Bytes(), Bytes(size), Bytes(size, 0xff), Bytes(size + 1)}) {
      expect_code(with(wrong, right.s), "crypto.signature");
      expect_code(with(right.r, wrong), "crypto.signature");
    }
  }
}

TEST(Quote, Q12_EachByteOfMessageAndSignatureCounts) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const KeyKind kind : kKinds) {
    const SoftwareAk& key = ak_of(kind);
    const AkPublic ak = key.ak();
    Bytes message = attest_of(fields(key.hash));
    Bytes signature = key.sign(message);
    const auto accepts = [&] { return verify({message, signature}, ak, AnyNonce{}).has_value(); };
    ASSERT_TRUE(accepts());
    for (Bytes* part : {&message, &signature}) {
      for (std::uint8_t& byte : *part) {
        const auto bit = static_cast<std::uint8_t>(1u << random() % 8);
        byte ^= bit;
        EXPECT_FALSE(accepts()) << "byte " << &byte - part->data();
        byte ^= bit;
      }
      part->push_back(0);
      EXPECT_FALSE(accepts());
      part->pop_back();
      const std::uint8_t last = part->back();
      part->pop_back();
      EXPECT_FALSE(accepts());
      part->push_back(last);
    }
    EXPECT_TRUE(accepts());
  }
}

TEST(Quote, Q12_APlainRsaSignatureIsAsLongAsTheModulus) {
  const SoftwareAk& key = ak_of(KeyKind::kRsa2048);
  const Bytes message = attest_of(fields());
  Bytes plain = key.key.sign(message);
  const auto pem = AkPublic::from_pem(key.key.public_key().to_pem()).value();
  for (const AkPublic& ak : {key.ak(), pem})
    EXPECT_TRUE(verify({message, plain}, ak, AnyNonce{}));
  plain.insert(plain.begin(), 0);
  for (const AkPublic& ak : {key.ak(), pem})
    EXPECT_FALSE(verify({message, plain}, ak, AnyNonce{}));
}

}  // namespace
}  // namespace warifu::attestation
