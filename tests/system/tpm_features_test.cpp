// What a device can do with its TPM, each under protected sessions. swtpm, its trial sessions and OpenSSL are the
// judges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificate.h"
#include "tpm_device/capability.h"
#include "tpm_device/clock.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/ek_certificate.h"
#include "tpm_device/ek_primary.h"
#include "tpm_device/keys.h"
#include "tpm_device/marshal.h"
#include "tpm_device/nv.h"
#include "tpm_device/pcr.h"
#include "tpm_test.h"

namespace warifu::test {
namespace {

using crypto::HashAlgorithm;
using tpm_device::Device;
using tpm_device::Handle;
using tpm_device::Protect;

// --- Connecting ---

TEST(TpmConnection, StartsUpAnEmulatorThatNobodyStarted) {
  const Swtpm swtpm({.started_up = false});
  EXPECT_TRUE(open(swtpm)->ek());
}

TEST(TpmConnection, SaysThatTheHierarchiesAreOff) {
  const Swtpm swtpm;
  const auto address = must(tpm_device::TctiAddress::parse(swtpm.tcti()));
  {
    // As firmware does it, past the guard: TPM2_HierarchyControl(TPM_RH_PLATFORM, TPM_RH_ENDORSEMENT, NO).
    TSS2_TCTI_CONTEXT* context = must(tpm_device::open_tcti(address)).release();
    ESYS_CONTEXT* esys = nullptr;
    ASSERT_EQ(Esys_Initialize(&esys, context, nullptr), TSS2_RC_SUCCESS);
    ASSERT_EQ(Esys_HierarchyControl(esys, ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                    ESYS_TR_RH_ENDORSEMENT, TPM2_NO),
              TSS2_RC_SUCCESS);
    Esys_Finalize(&esys);
    tpm_device::TctiPtr closed(context);
  }
  expect_error(tpm_device::open_tcti(address), ErrorKind::kUnavailable, "tpm.disabled");
}

// --- Templates ---

tpm::Name name_of(Device& device, const Handle& key) {
  return must(tpm::PublicArea::from_tpm2b(must(device.public_area(key.get())))).name();
}

tpm::Name persistent_name(Device& device, TPM2_HANDLE handle) {
  return must(device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<tpm::Name> {
    ESYS_TR number = ESYS_TR_NONE;
    TRY_STATUS(device.check(Esys_TR_FromTPMPublic(device.esys(), handle, session, ESYS_TR_NONE, ESYS_TR_NONE, &number),
                            "TPM2_ReadPublic"));
    const Handle key(device, number, Handle::Kind::kStays);
    return name_of(device, key);
  }));
}

TEST(TpmTemplates, GiveTheEksThatSwtpmSetupMakes) {
  const Swtpm swtpm({.with_endorsement_keys = true});
  const auto device = open(swtpm);
  const auto primary = [&](tpm::EkProfile profile) {
    const Handle key = must(tpm_device::create_primary(*device, ESYS_TR_RH_ENDORSEMENT, tpm::ek_template(profile)));
    return name_of(*device, key);
  };
  EXPECT_EQ(primary(tpm::EkProfile::kL1), persistent_name(*device, 0x81010001));
  EXPECT_EQ(primary(tpm::EkProfile::kH3), persistent_name(*device, 0x81010016));
  EXPECT_NE(primary(tpm::EkProfile::kL1Dps), primary(tpm::EkProfile::kL1));
}

TEST_F(TpmFeatures, MakesAKeyFromEveryTemplate) {
  for (const tpm::EkProfileInfo& info : tpm::ek_profiles()) {
    EXPECT_TRUE(tpm_device::create_primary(*device_, ESYS_TR_RH_ENDORSEMENT, tpm::ek_template(info.profile)))
        << info.name;
  }
  for (const Bytes& srk : {tpm::srk_rsa_template(), tpm::srk_ecc_template()})
    EXPECT_TRUE(tpm_device::create_primary(*device_, ESYS_TR_RH_OWNER, srk));
  for (const auto algorithm :
       {tpm::IdentityAlgorithm::kRsa2048, tpm::IdentityAlgorithm::kEccP256, tpm::IdentityAlgorithm::kEccP384}) {
    EXPECT_TRUE(tpm_device::create_identity_primary(*device_, tpm::idevid_template(algorithm)));
    EXPECT_TRUE(tpm_device::create_identity_primary(*device_, tpm::iak_template(algorithm)));
  }
}

// --- EK certificates ---

TEST(TpmEkCertificates, AreReadWholeAndBelongToTheirKeys) {
  const Swtpm swtpm({.with_endorsement_keys = true});
  const auto device = open(swtpm);
  const auto certificates = must(tpm_device::read_ek_certificates(*device));
  ASSERT_EQ(certificates.size(), 2u);
  EXPECT_EQ(certificates[0].profile, tpm::EkProfile::kL1);
  EXPECT_EQ(certificates[1].profile, tpm::EkProfile::kH3);
  for (const auto& certificate : certificates)
    EXPECT_TRUE(crypto::Certificate::from_der(certificate.der));
  const auto own = must(tpm_device::certificate_of(*device, must(device->ek())));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->der, certificates[0].der);
}

TEST(TpmEkCertificates, AreNotThereForAnEkWithAnotherUnique) {
  const Swtpm swtpm({.with_endorsement_keys = true});
  const auto device = open(swtpm);
  const Handle dps =
      must(tpm_device::create_primary(*device, ESYS_TR_RH_ENDORSEMENT, tpm::ek_template(tpm::EkProfile::kL1Dps)));
  const auto ek = must(tpm::EkPublic::from_tpm2b(must(device->public_area(dps.get()))));
  EXPECT_FALSE(must(tpm_device::certificate_of(*device, ek)));
}

// --- NV ---

TEST_F(TpmFeatures, KeepsMoreInNvThanGoesOverTheBusAtOnce) {
  const std::uint32_t at_once = must(tpm_device::read_property(*device_, tpm_device::kPtNvBufferMax));
  const auto size = static_cast<std::uint16_t>(at_once + 500);
  must(tpm_device::define_nv(*device_, nv_index(0, size)));
  SecretBytes content(size);
  for (std::size_t i = 0; i < size; ++i)
    content.reveal_writable()[i] = static_cast<std::uint8_t>(i * 7);
  expect_error(tpm_device::read_nv(*device_, kIndex), ErrorKind::kNotFound, "tpm.nv.unwritten");
  must(tpm_device::write_nv(*device_, kIndex, content));
  EXPECT_EQ(to_bytes(must(tpm_device::read_nv(*open(swtpm_), kIndex)).reveal()), to_bytes(content.reveal()));
}

TEST_F(TpmFeatures, KeepsNvThroughAPowerCutAndForgetsWhatIsUndefined) {
  must(tpm_device::define_nv(*device_, nv_index(0, 5)));
  must(tpm_device::write_nv(*device_, kIndex, secret("abcde")));
  swtpm_.power_cut();
  const auto device = open(swtpm_);
  EXPECT_EQ(as_text(must(tpm_device::read_nv(*device, kIndex)).reveal()), "abcde");
  must(tpm_device::undefine_nv(*device, kIndex));
  expect_error(tpm_device::read_nv(*device, kIndex), ErrorKind::kNotFound, "tpm.handle");
}

TEST_F(TpmFeatures, RefusesToWriteNvBeyondItsEndOrOfAnotherType) {
  must(tpm_device::define_nv(*device_, nv_index(0, 5)));
  expect_error(tpm_device::write_nv(*device_, kIndex, secret("abcdef")), ErrorKind::kInvalidInput, "tpm.nv.size");
  expect_error(tpm_device::increment_nv(*device_, kIndex), ErrorKind::kConflict, "tpm.nv.type");
  expect_error(tpm_device::extend_nv(*device_, kIndex, secret("a")), ErrorKind::kConflict, "tpm.nv.type");
  expect_error(tpm_device::define_nv(*device_, nv_index(0, 5)), ErrorKind::kConflict, "tpm.nv.defined");
}

TEST_F(TpmFeatures, CountsUpwardsOnly) {
  must(tpm_device::define_nv(*device_, nv_index(tpm::kNvCounter, 8)));
  must(tpm_device::increment_nv(*device_, kIndex));
  const std::uint64_t first = must(tpm_device::read_nv_counter(*device_, kIndex));
  must(tpm_device::increment_nv(*device_, kIndex));
  EXPECT_EQ(must(tpm_device::read_nv_counter(*device_, kIndex)), first + 1);
  must(tpm_device::undefine_nv(*device_, kIndex));
  must(tpm_device::define_nv(*device_, nv_index(tpm::kNvCounter, 8)));
  must(tpm_device::increment_nv(*device_, kIndex));
  EXPECT_GT(must(tpm_device::read_nv_counter(*device_, kIndex)), first + 1);
}

TEST_F(TpmFeatures, ExtendsNvLikeAPcr) {
  must(tpm_device::define_nv(*device_, nv_index(tpm::kNvExtend, 32)));
  must(tpm_device::extend_nv(*device_, kIndex, secret("one")));
  must(tpm_device::extend_nv(*device_, kIndex, secret("two")));
  const auto first = crypto::digest(HashAlgorithm::kSha256, {Bytes(32), as_bytes("one")});
  const auto second = crypto::digest(HashAlgorithm::kSha256, {first.bytes(), as_bytes("two")});
  EXPECT_EQ(to_hex(must(tpm_device::read_nv(*device_, kIndex)).reveal()), hex(second));
}

TEST_F(TpmFeatures, AgreesOnTheNameOfAnIndex) {
  must(tpm_device::define_nv(*device_, nv_index(0, 5)));
  must(tpm_device::write_nv(*device_, kIndex, secret("abcde")));
  const tpm::Name computed = must(tpm_device::read_nv_public(*device_, kIndex)).name();
  const auto found = must(tpm_device::find_nv(*device_, kIndex));
  TPM2B_NAME* raw = nullptr;
  ASSERT_EQ(Esys_TR_GetName(device_->esys(), found.handle.get(), &raw), TSS2_RC_SUCCESS);
  const tpm_device::EsysPtr<TPM2B_NAME> name(raw);
  EXPECT_EQ(to_hex({name->name, name->size}), computed.text());
}

// --- PCRs and the clock ---

TEST_F(TpmFeatures, ReadsMorePcrsThanTheTpmGivesAtOnce) {
  must(tpm_device::extend_pcr(*device_, 10, sha256("event")));
  const auto values = must(tpm_device::read_pcrs(*device_, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 23}));
  ASSERT_EQ(values.size(), 13u);
  EXPECT_EQ(values[10].pcr, 10);
  EXPECT_EQ(values[12].pcr, 23);
  const auto extended = crypto::digest(HashAlgorithm::kSha256, {Bytes(32), sha256("event").bytes()});
  EXPECT_EQ(values[10].value, extended);
  EXPECT_EQ(to_bytes(values[0].value.bytes()), Bytes(32));
  expect_error(tpm_device::read_pcrs(*device_, {24}), ErrorKind::kInvalidInput, "tpm.pcr");
  expect_error(tpm_device::extend_pcr(*device_, 24, sha256("event")), ErrorKind::kInvalidInput, "tpm.pcr");
}

TEST_F(TpmFeatures, CountsResetsAndKnowsAClockThatIsNotSafe) {
  const auto before = must(tpm_device::read_clock(*device_));
  swtpm_.power_cut();
  const auto after = must(tpm_device::read_clock(*open(swtpm_)));
  EXPECT_EQ(after.reset_count, before.reset_count + 1);
  EXPECT_FALSE(after.safe);
}

TEST_F(TpmFeatures, ListsHandlesOfARangeOnly) {
  must(tpm_device::define_nv(*device_, nv_index(0, 5)));
  EXPECT_THAT(must(tpm_device::read_handles(*device_, 0x01000000, 0x01FFFFFF)), testing::ElementsAre(kIndex));
  EXPECT_THAT(must(tpm_device::read_handles(*device_, 0x01C00000, 0x01C07FFF)), testing::IsEmpty());
  must(device_->srk());
  EXPECT_THAT(must(tpm_device::read_handles(*device_, 0x81000000, 0x81FFFFFF)), testing::ElementsAre(0x81000001));
}

}  // namespace
}  // namespace warifu::test
