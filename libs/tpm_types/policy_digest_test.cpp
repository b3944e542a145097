#include "tpm_types/policy_digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tpm_types/nv_public.h"
#include "tpm_types/templates.h"

namespace warifu::tpm {
namespace {

using crypto::HashAlgorithm;

std::string hex(const crypto::Digest& digest) {
  return to_hex(digest.bytes());
}

// TCG EK Credential Profile 2.6, B.6.2 to B.6.5: computed here from the assertions, not copied.
TEST(PolicyDigest, GivesThePoliciesOfTheEkCredentialProfile) {
  EXPECT_EQ(hex(ek_policy_a(HashAlgorithm::kSha256)),
            "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa");
  EXPECT_EQ(hex(ek_policy_a(HashAlgorithm::kSha384)),
            "8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e143e8bb1133824ccb431053871c6db53");
  EXPECT_EQ(hex(ek_policy_b(HashAlgorithm::kSha256)),
            "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0");
  EXPECT_EQ(hex(ek_policy_b(HashAlgorithm::kSha384)),
            "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12");
  EXPECT_EQ(hex(ek_policy_b(HashAlgorithm::kSha512)),
            "b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a429c41a6b269571d57edb25fbdb1838425608b413cd"
            "616a5f6db5b6071af99bea");
}

TEST(PolicyDigest, StartsAtZeros) {
  EXPECT_EQ(to_bytes(PolicyDigest(HashAlgorithm::kSha384).bytes()), Bytes(48));
}

TEST(PolicyDigest, DependsOnTheOrderOfAssertions) {
  const auto first = PolicyDigest(HashAlgorithm::kSha256).auth_value().command_code(0x15E).value();
  const auto second = PolicyDigest(HashAlgorithm::kSha256).command_code(0x15E).auth_value().value();
  EXPECT_NE(first, second);
}

TEST(PolicyDigest, ForgetsWhatCameBeforeAnAuthorization) {
  const Name key = Name::of(HashAlgorithm::kSha256, as_bytes("a key"));
  const auto alone = PolicyDigest(HashAlgorithm::kSha256).authorize(key).value();
  EXPECT_EQ(PolicyDigest(HashAlgorithm::kSha256).auth_value().authorize(key).value(), alone);
  EXPECT_NE(PolicyDigest(HashAlgorithm::kSha256).authorize(key).auth_value().value(), alone);
}

TEST(PolicyDigest, KeepsTheReferenceApartFromTheName) {
  const Name key = Name::of(HashAlgorithm::kSha256, as_bytes("a key"));
  const auto without = PolicyDigest(HashAlgorithm::kSha256).authorize(key).value();
  EXPECT_NE(PolicyDigest(HashAlgorithm::kSha256).authorize(key, PolicyRef{{1}}).value(), without);
}

TEST(PolicyPcrs, WritesPcrsAsALittleEndianBitMap) {
  const PolicyPcrs selection{HashAlgorithm::kSha256, (1u << 0) | (1u << 10) | (1u << 23)};
  EXPECT_EQ(to_hex(selection.tpml()), "00000001000b03010480");
}

TEST(NvPublic, ReadsWhatItWrites) {
  const NvPublic index{0x01800010, HashAlgorithm::kSha256, kNvOwnerWrite | kNvCounter, Bytes(32, 7), 8};
  const auto read = NvPublic::parse(index.tpms());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, index);
}

TEST(NvPublic, RefusesWhatIsCutOffTooLongOrLies) {
  const Bytes good = NvPublic{0x01800010, HashAlgorithm::kSha256, kNvOwnerWrite, Bytes(32, 7), 8}.tpms();
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(NvPublic::parse(ByteView(good).first(size)));
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(NvPublic::parse(longer).error().code, "wire.trailing");
  Bytes short_policy = NvPublic{0x01800010, HashAlgorithm::kSha256, 0, Bytes(31), 8}.tpms();
  EXPECT_EQ(NvPublic::parse(short_policy).error().code, "tpm.nv.auth-policy");
  Bytes no_hash = good;
  no_hash[5] = 0x10;
  EXPECT_EQ(NvPublic::parse(no_hash).error().code, "tpm.algorithm.hash");
}

}  // namespace
}  // namespace warifu::tpm
