#include "tpm_types/verification_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/private_key.h"
#include "tpm_types/public_area.h"

namespace warifu::tpm {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;

TEST(VerificationKey, IsAWellFormedPublicAreaWithTheHashOfItsSignatures) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048, KeyKind::kRsa3072}) {
    const auto key = VerificationKey::of(PrivateKey::generate(kind).public_key());
    ASSERT_TRUE(key) << to_string(key.error());
    const auto area = PublicArea::from_tpm2b(key->tpm2b());
    ASSERT_TRUE(area) << to_string(area.error());
    EXPECT_EQ(area->name(), key->name());
    EXPECT_EQ(area->attributes(), ObjectAttributes(kSign | kUserWithAuth));
    EXPECT_EQ(key->hash(), kind == KeyKind::kEcP384 ? crypto::HashAlgorithm::kSha384 : crypto::HashAlgorithm::kSha256);
  }
}

TEST(VerificationKey, HasTheSameNameEachTime) {
  const auto key = PrivateKey::generate(KeyKind::kEcP256).public_key();
  EXPECT_EQ(VerificationKey::of(key)->name(), VerificationKey::of(key)->name());
  const auto other = PrivateKey::generate(KeyKind::kEcP256).public_key();
  EXPECT_NE(VerificationKey::of(key)->name(), VerificationKey::of(other)->name());
}

TEST(VerificationKey, WritesRAndSWithoutLeadingZeros) {
  const auto key = VerificationKey::of(PrivateKey::generate(KeyKind::kEcP256).public_key()).value();
  const Bytes der = {0x30, 0x08, 0x02, 0x03, 0x00, 0x81, 0x02, 0x02, 0x01, 0x07};
  EXPECT_EQ(to_hex(key.tpmt_signature(der).value()), "0018000b00028102000107");
}

TEST(VerificationKey, RefusesMalformedSignatures) {
  const PrivateKey ec = PrivateKey::generate(KeyKind::kEcP256);
  const auto key = VerificationKey::of(ec.public_key()).value();
  const Bytes good = ec.sign(as_bytes("m"));
  EXPECT_TRUE(key.tpmt_signature(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(key.tpmt_signature(ByteView(good).first(size)).error().code, "tpm.signature") << size;
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(key.tpmt_signature(longer));
  const Bytes negative = {0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x07};
  EXPECT_FALSE(key.tpmt_signature(negative));
  const auto p384 = PrivateKey::generate(KeyKind::kEcP384).sign(as_bytes("m"));
  EXPECT_FALSE(key.tpmt_signature(p384));  // its numbers are too long for P-256
  const auto rsa = VerificationKey::of(PrivateKey::generate(KeyKind::kRsa2048).public_key()).value();
  EXPECT_FALSE(rsa.tpmt_signature(good));
  EXPECT_FALSE(rsa.tpmt_signature(Bytes(255)));
  EXPECT_TRUE(rsa.tpmt_signature(Bytes(256)));
}

}  // namespace
}  // namespace warifu::tpm
