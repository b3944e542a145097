#include "tpm_types/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tpm_types/public_area.h"

namespace warifu::tpm {
namespace {

PublicArea parsed(const Bytes& tpm2b) {
  auto area = PublicArea::from_tpm2b(tpm2b);
  if (!area) {
    ADD_FAILURE() << to_string(area.error());
    std::abort();
  }
  return std::move(*area);
}

// As the Azure SDKs send it (and as their captured traffic has it): RSA-2048, empty unique.
TEST(Templates, GiveTheStorageRootKeyOfTheAzureSdks) {
  EXPECT_EQ(to_hex(srk_rsa_template()),
            "001a0001000b0003047200000006008000430010080000000000"
            "0000");
}

TEST(Templates, GiveTheEndorsementKeyOfTheAzureSdks) {
  EXPECT_EQ(to_hex(ek_template(EkProfile::kL1Dps)),
            "003a0001000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
            "000600800043001008000000"
            "00000000");
}

// Byte by byte as tpm2_create_primary() of Linux 6.10 appends it, put together by hand.
TEST(Templates, GiveTheNullPrimaryOfLinux) {
  EXPECT_EQ(to_hex(null_primary_template()),
            "001a"      // size
            "0023"      // TPM_ALG_ECC
            "000b"      // TPM_ALG_SHA256
            "00030472"  // TPM2_OA_NULL_KEY
            "0000"      // no policy
            "000600800043"
            "0010"  // no scheme
            "0003"  // TPM2_ECC_NIST_P256
            "0010"  // no KDF
            "00000000");
}

TEST(Templates, GiveAttestationKeysThatCanBeActivatedWithoutAPolicy) {
  for (const auto algorithm : {IdentityAlgorithm::kEccP256, IdentityAlgorithm::kRsa2048}) {
    const PublicArea area = parsed(primary_ak_template(algorithm));
    EXPECT_TRUE(area.attributes().has_all(kFixedTpm | kFixedParent | kSensitiveDataOrigin | kRestricted | kSign));
    EXPECT_FALSE(area.attributes().has_any(kDecrypt | kAdminWithPolicy));
    EXPECT_TRUE(area.auth_policy().empty());
  }
}

TEST(Templates, AreWellFormed) {
  for (const EkProfileInfo& info : ek_profiles()) {
    EXPECT_EQ(info_of(info.profile).name, info.name);
    if (info.profile == EkProfile::kH4) continue;  // P-521 is beyond PublicArea: only the TPM judges it
    const PublicArea area = parsed(ek_template(info.profile));
    EXPECT_EQ(area.name_algorithm(), info.name_algorithm) << info.name;
    EXPECT_EQ(area.attributes().has_any(kUserWithAuth), info.name.starts_with('H')) << info.name;
  }
}

// TCG TPM v2.0 Provisioning Guidance, 7.5.1: only attributes and policy tell an SRK from an EK.
TEST(Templates, GiveStorageRootKeysWithTheParametersOfEndorsementKeys) {
  struct Row {
    Bytes srk;
    EkProfile ek;
  };
  const Row rows[] = {{srk_rsa_template(), EkProfile::kL1Dps},
                      {srk_ecc_template(), EkProfile::kL2},
                      {srk_rsa_3072_template(), EkProfile::kH6},
                      {srk_ecc_p384_template(), EkProfile::kH3}};
  for (const Row& row : rows) {
    const PublicArea srk = parsed(row.srk);
    const PublicArea ek = parsed(ek_template(row.ek));
    EXPECT_EQ(srk.attributes(), ObjectAttributes(0x00030472));
    EXPECT_TRUE(srk.auth_policy().empty());
    EXPECT_EQ(srk.name_algorithm(), ek.name_algorithm());
    const std::size_t after_policy = 10 + ek.auth_policy().size();
    EXPECT_EQ(to_hex(srk.tpmt().subspan(10)), to_hex(ek.tpmt().subspan(after_policy)));
  }
}

TEST(Templates, DifferOnlyInUniqueBetweenTcgAndDps) {
  const PublicArea tcg = parsed(ek_template(EkProfile::kL1));
  EXPECT_EQ(to_bytes(tcg.unique()), Bytes(256));
  const Bytes dps = ek_template(EkProfile::kL1Dps);
  const ByteView until_unique = ByteView(dps).subspan(2).first(dps.size() - 4);
  EXPECT_TRUE(std::ranges::equal(until_unique, tcg.tpmt().first(until_unique.size())));
}

TEST(Templates, RestrictOnlyAttestationKeys) {
  for (const auto algorithm : {IdentityAlgorithm::kRsa2048, IdentityAlgorithm::kEccP256, IdentityAlgorithm::kEccP384}) {
    EXPECT_EQ(parsed(idevid_template(algorithm)).attributes(), ObjectAttributes(0x000400F2));
    EXPECT_EQ(parsed(iak_template(algorithm)).attributes(), ObjectAttributes(0x000500F2));
    EXPECT_EQ(to_bytes(parsed(idevid_template(algorithm)).unique()), to_bytes(as_bytes("IDEVID")));
    EXPECT_EQ(to_bytes(parsed(iak_template(algorithm)).unique()), to_bytes(as_bytes("IAK")));
  }
  EXPECT_EQ(parsed(ldevid_template()).attributes(), ObjectAttributes(0x00040472));
  EXPECT_EQ(parsed(ak_template()).attributes(), ObjectAttributes(0x00050472));
}

}  // namespace
}  // namespace warifu::tpm
