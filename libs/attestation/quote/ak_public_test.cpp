// Pitfalls of docs/protocols/quotes.md: each accepting case has its refused twin.
#include "attestation/quote/ak_public.h"

#include "attestation/quote/test_judge.h"
#include "crypto/test_roca_key.h"
#include "tpm_types/verification_key.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using crypto::KeyKind;

// TPMT_PUBLIC of an AK with this RSA key.
Bytes rsa_tpmt(std::string_view pem) {
  const auto key = tpm::VerificationKey::of(crypto::PublicKey::from_pem(pem).value()).value();
  const auto area = tpm::PublicArea::from_tpm2b(key.tpm2b()).value();
  wire::Writer out;
  out.u16(0x0001).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0010).u16(0x0014).u16(0x000B);
  return out.u16(2048).u32(0).sized16(area.unique()).take();
}

TEST(Quote, Q2_AnAkIsARestrictedSigningKeyOfItsTpm) {
  for (const KeyKind kind : kKinds) {
    ASSERT_TRUE(AkPublic::from_tpm_public(ak_of(kind).tpmt()));
    for (const std::uint32_t cleared :
         {tpm::kRestricted, tpm::kSign, tpm::kFixedTpm, tpm::kFixedParent, tpm::kSensitiveDataOrigin})
      expect_code(AkPublic::from_tpm_public(ak_of(kind).tpmt(kAkAttributes & ~cleared)), "ak.attributes");
    expect_code(AkPublic::from_tpm_public(ak_of(kind).tpmt(kAkAttributes | tpm::kDecrypt)), "ak.attributes");
    expect_code(AkPublic::from_tpm_public(ak_of(kind).tpmt(kAkAttributes, 0x0010, 0)), "ak.scheme");
  }
}

TEST(Quote, Q7_AnAkWhosePrivateKeyCanBeComputedIsNone) {
  const std::string sound = ak_of(KeyKind::kRsa2048).key.public_key().to_pem();
  EXPECT_TRUE(AkPublic::from_tpm_public(rsa_tpmt(sound)));
  EXPECT_TRUE(AkPublic::from_pem(sound));
  expect_code(AkPublic::from_tpm_public(rsa_tpmt(crypto::kRocaKeyPem)), "ak.roca");
  expect_code(AkPublic::from_pem(crypto::kRocaKeyPem), "ak.roca");
}

TEST(Quote, Q7_AnRsaKeyHasTwoThousandBits) {
  wire::Writer small;
  small.u16(0x0001).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0010).u16(0x0014).u16(0x000B).u16(1024).u32(0);
  expect_code(AkPublic::from_tpm_public(small.sized16(Bytes(128, 0xC5)).take()), "ak.key");
  wire::Writer lie;
  lie.u16(0x0001).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0010).u16(0x0014).u16(0x000B).u16(2048).u32(0);
  expect_code(AkPublic::from_tpm_public(lie.sized16(Bytes(128, 0xC5)).take()), "ak.key");
  wire::Writer hmac;
  hmac.u16(0x0008).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0005).u16(0x000B).sized16(Bytes(32));
  expect_code(AkPublic::from_tpm_public(hmac.take()), "ak.kind");
}

TEST(Quote, Q12_AFileIsOneKeyInAFormThatItsBytesSay) {
  for (const KeyKind kind : kKinds) {
    const SoftwareAk& key = ak_of(kind);
    const std::string pem = key.key.public_key().to_pem();
    EXPECT_EQ(AkPublic::from_file(as_bytes(pem)).value().identity(), nullptr);
    EXPECT_EQ(AkPublic::from_file(key.key.public_key().spki()).value().identity(), nullptr);
    expect_code(AkPublic::from_file(as_bytes(pem + pem)), "crypto.key.spki", ErrorKind::kInvalidInput);
    Bytes longer = key.key.public_key().spki();
    longer.push_back(0);
    expect_code(AkPublic::from_file(longer), "crypto.key.spki", ErrorKind::kInvalidInput);
  }
  expect_code(AkPublic::from_file(as_bytes("no key at all")), "crypto.key.spki", ErrorKind::kInvalidInput);
  EXPECT_FALSE(AkPublic::from_file({}));
}

TEST(Quote, Q11_TheSignerIsTheAkBelowItsParent) {
  const SoftwareAk& key = ak_of(KeyKind::kEcP256);
  const Bytes parent = {0x40, 0x00, 0x00, 0x0b};
  QuoteFields of = fields();
  of.signer = qualified_name(parent, key.ak().identity()->name);
  const auto quote = judge(key, attest_of(of)).value();
  EXPECT_TRUE(expect_parent(quote, parent));
  expect_code(expect_parent(quote, Bytes{0x40, 0x00, 0x00, 0x01}), "quote.signer");
  expect_code(expect_parent(judge(key, attest_of(fields())).value(), parent), "quote.signer");
  const Bytes message = attest_of(of);
  const auto pem = AkPublic::from_pem(key.key.public_key().to_pem()).value();
  expect_code(expect_parent(verify({message, key.sign(message)}, pem, AnyNonce{}).value(), parent), "quote.ak-name");
}

}  // namespace
}  // namespace warifu::attestation
