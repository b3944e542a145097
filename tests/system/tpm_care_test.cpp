// Care for the TPM: owning it, clearing it, and not being locked out of it. swtpm is the judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/system_entropy.h"
#include "tpm_device/capability.h"
#include "tpm_device/care.h"
#include "tpm_device/ek_primary.h"
#include "tpm_device/keys.h"
#include "tpm_device/marshal.h"
#include "tpm_device/tcb_tpm.h"
#include "tpm_test.h"
#include "tpm_types/object_attributes.h"

namespace warifu::test {
namespace {

using testing::HasSubstr;
using tpm_device::Device;
using tpm_device::Handle;
using tpm_device::HierarchyAuths;
using tpm_device::Protect;

constexpr TPM2_HANDLE kTestKey = 0x81000010;

// An ECDSA key under the SRK, persistent, with or without noDA.
void make_key(Device& device, std::uint32_t no_da) {
  TPM2B_PUBLIC area{};
  area.publicArea.type = TPM2_ALG_ECC;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  area.publicArea.objectAttributes =
      tpm::kFixedTpm | tpm::kFixedParent | tpm::kSensitiveDataOrigin | tpm::kUserWithAuth | tpm::kSign | no_da;
  area.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
  area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  area.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  area.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
  area.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  const Bytes tpm2b = must(tpm_device::from_public(area));
  const Handle key = must(tpm_device::create_primary(device, ESYS_TR_RH_OWNER, tpm2b));
  must(device.run(Protect::kAnswers, [&](ESYS_TR session) {
    ESYS_TR persistent = ESYS_TR_NONE;
    return device.check(Esys_EvictControl(device.esys(), ESYS_TR_RH_OWNER, key.get(), session, ESYS_TR_NONE,
                                          ESYS_TR_NONE, kTestKey, &persistent),
                        "TPM2_EvictControl");
  }));
}

Status sign(Device& device) {
  TPM2B_DIGEST digest{};
  digest.size = 32;
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  TPMT_TK_HASHCHECK ticket{};
  ticket.tag = TPM2_ST_HASHCHECK;
  ticket.hierarchy = TPM2_RH_NULL;
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Status {
    ESYS_TR key = ESYS_TR_NONE;
    TRY_STATUS(device.check(Esys_TR_FromTPMPublic(device.esys(), kTestKey, session, ESYS_TR_NONE, ESYS_TR_NONE, &key),
                            "TPM2_ReadPublic"));
    const Handle handle(device, key, Handle::Kind::kStays);
    TPMT_SIGNATURE* signature = nullptr;
    TRY_STATUS(device.check(
        Esys_Sign(device.esys(), key, session, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme, &ticket, &signature),
        "TPM2_Sign"));
    Esys_Free(signature);
    return {};
  });
}

// TPM2_Clear and nothing else.
Status clear_as_another_owner(Device& device) {
  return device.run(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(Esys_Clear(device.esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE, ESYS_TR_NONE),
                        "TPM2_Clear");
  });
}

class TpmCare : public testing::Test {
 protected:
  // Three wrong tries, as swtpm has it from the factory.
  const tcb::DictionaryAttackParameters three_tries_{
      .max_tries = 3, .recovery_seconds = 1000, .lockout_recovery_seconds = 1000};

  Swtpm swtpm_;
  const SecretBytes auth_ = secret("0123456789abcdef0123456789abcdef");
};

TEST_F(TpmCare, TellsWhatTheTpmIs) {
  const auto device = open(swtpm_);
  const tcb::TpmStatus status = must(tpm_device::read_status(*device));
  EXPECT_EQ(status.manufacturer, "IBM");
  EXPECT_THAT(status.model, HasSubstr("SW"));
  EXPECT_NE(status.firmware_version, 0u);
  EXPECT_GE(status.specification_revision, 138u);
  EXPECT_FALSE(status.owner_auth_set);
  EXPECT_FALSE(status.endorsement_auth_set);
  EXPECT_FALSE(status.lockout_auth_set);
  EXPECT_FALSE(status.clear_disabled);
  EXPECT_FALSE(status.in_lockout);
  EXPECT_EQ(status.lockout_counter, 0u);
  EXPECT_EQ(status.ek_name, to_bytes(must(device->ek()).name().bytes()));
  EXPECT_FALSE(status.has_ek_certificate);
}

TEST(TpmCareWithCertificates, TellsThatThereIsACertificateForThisEk) {
  const Swtpm swtpm({.with_endorsement_keys = true});
  EXPECT_TRUE(must(tpm_device::read_status(*open(swtpm))).has_ek_certificate);
}

TEST_F(TpmCare, TakesOwnershipOnce) {
  const auto device = open(swtpm_);
  must(tpm_device::take_ownership(*device, auth_, three_tries_));
  const tcb::TpmStatus status = must(tpm_device::read_status(*device));
  EXPECT_TRUE(status.lockout_auth_set);
  EXPECT_EQ(status.dictionary_attack.max_tries, 3u);
  EXPECT_EQ(status.dictionary_attack.recovery_seconds, 1000u);
  EXPECT_EQ(status.dictionary_attack.lockout_recovery_seconds, 1000u);
  expect_error(tpm_device::take_ownership(*device, auth_, three_tries_), ErrorKind::kConflict, "tpm.owned");
  // That attempt was no wrong try.
  EXPECT_TRUE(tpm_device::reset_lockout(*device, auth_));
}

TEST_F(TpmCare, TakesOwnershipAfterTheParametersWereSetAndThePowerFailed) {
  {
    const auto device = open(swtpm_);
    // As far as take_ownership() comes before the second command.
    must(device->run(Protect::kAnswers, [&](ESYS_TR session) {
      return device->check(Esys_DictionaryAttackParameters(device->esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE,
                                                           ESYS_TR_NONE, 3, 1000, 1000),
                           "TPM2_DictionaryAttackParameters");
    }));
  }
  swtpm_.power_cut();
  const auto device = open(swtpm_);
  must(tpm_device::take_ownership(*device, auth_, three_tries_));
  EXPECT_TRUE(tpm_device::reset_lockout(*device, auth_));
}

TEST_F(TpmCare, KeepsItsOwnerThroughAPowerCut) {
  must(tpm_device::take_ownership(*open(swtpm_), auth_, three_tries_));
  swtpm_.power_cut();
  const auto device = open(swtpm_);
  EXPECT_TRUE(must(tpm_device::read_status(*device)).lockout_auth_set);
  EXPECT_TRUE(tpm_device::reset_lockout(*device, auth_));
}

TEST_F(TpmCare, RefusesParametersThatWouldLockItAtOnceOrNever) {
  const auto device = open(swtpm_);
  expect_error(tpm_device::take_ownership(*device, auth_, {.max_tries = 0}), ErrorKind::kInvalidInput,
               "tpm.dictionary-attack");
  expect_error(tpm_device::take_ownership(*device, auth_, {.recovery_seconds = 0}), ErrorKind::kInvalidInput,
               "tpm.dictionary-attack");
  for (const std::size_t size : {0u, 33u}) {
    expect_error(tpm_device::take_ownership(*device, SecretBytes(size), {}), ErrorKind::kInvalidInput,
                 "tpm.lockout-auth");
  }
  EXPECT_FALSE(must(tpm_device::read_status(*device)).lockout_auth_set);
}

TEST_F(TpmCare, RefusesAWrongLockoutAuthAndSaysWhatItCosts) {
  const auto device = open(swtpm_);
  must(tpm_device::take_ownership(*device, auth_, three_tries_));
  const Status wrong = tpm_device::clear(*device, secret("wrong"));
  expect_error(wrong, ErrorKind::kRefused, "tpm.lockout-auth.wrong");
  EXPECT_THAT(wrong.error().message, HasSubstr("1000 seconds"));
  // From now on the right one is refused too, and that is said.
  const Status right = tpm_device::reset_lockout(*device, auth_);
  expect_error(right, ErrorKind::kUnavailable, "tpm.lockout");
  EXPECT_THAT(right.error().message, HasSubstr("1000 seconds"));
}

TEST_F(TpmCare, DoesNotSpendATryOnWhatCannotBeRight) {
  const auto device = open(swtpm_);
  expect_error(tpm_device::clear(*device, auth_), ErrorKind::kConflict, "tpm.unowned");
  must(tpm_device::take_ownership(*device, auth_, three_tries_));
  expect_error(tpm_device::clear(*device, SecretBytes()), ErrorKind::kRefused, "tpm.lockout-auth.missing");
  EXPECT_TRUE(tpm_device::reset_lockout(*device, auth_));  // which would be refused after one
}

TEST_F(TpmCare, ClearsWhatTheOwnerMadeAndKeepsTheEk) {
  const auto device = open(swtpm_);
  const tpm::Name ek = must(device->ek()).name();
  const tpm::Name srk = must(device->srk_public()).name();
  const auto sealed = must(tpm_device::create_keyed_hash(*device, tpm_device::KeyedHashUse::kSeal, secret("s"), {}));
  must(tpm_device::take_ownership(*device, auth_, three_tries_));
  must(tpm_device::clear(*device, auth_));

  EXPECT_FALSE(must(tpm_device::read_status(*device)).lockout_auth_set);
  EXPECT_NE(must(device->srk_public()).name(), srk);
  expect_error(tpm_device::unseal(*device, sealed, {}), ErrorKind::kRefused, "tpm.key.dead");
  EXPECT_EQ(must(open(swtpm_)->ek()).name(), ek);
  // It has no owner now: the next one may come, and the old auth is nothing any more.
  must(tpm_device::take_ownership(*device, secret("another"), three_tries_));
  EXPECT_TRUE(tpm_device::reset_lockout(*device, secret("another")));
}

TEST(TpmCareWithCertificates, ClearsAndMakesTheSameEkPersistentAgain) {
  const Swtpm swtpm({.with_endorsement_keys = true});
  // With a template that would give another EK: after TPM2_Clear the persistent one is gone.
  const auto device = open(swtpm, {.ek_profile = tpm::EkProfile::kL1Dps});
  const tpm::Name ek = must(device->ek()).name();
  must(tpm_device::clear(*device, SecretBytes()));
  EXPECT_THAT(must(tpm_device::read_handles(*device, tpm::kEkHandle, tpm::kEkHandle)), testing::SizeIs(1));
  const auto again = open(swtpm, {.ek_profile = tpm::EkProfile::kL1Dps, .ek_name = ek});
  EXPECT_EQ(must(again->ek()).name(), ek);
  EXPECT_TRUE(must(tpm_device::read_status(*again)).has_ek_certificate);
}

// The persistent EK is gone, and the configured template gives another: the pin says which of them is meant.
TEST(TpmCareWithCertificates, FindsThePinnedEkAfterAnotherOwnerClearedTheTpm) {
  const Swtpm swtpm({.with_endorsement_keys = true});
  const auto device = open(swtpm, {.ek_profile = tpm::EkProfile::kL1Dps});
  const tpm::Name ek = must(device->ek()).name();
  must(clear_as_another_owner(*device));
  EXPECT_THAT(must(tpm_device::read_handles(*device, tpm::kEkHandle, tpm::kEkHandle)), testing::IsEmpty());
  device->forget();
  EXPECT_TRUE(device->srk_public());  // in a new session
  const auto again = open(swtpm, {.ek_profile = tpm::EkProfile::kL1Dps, .ek_name = ek});
  EXPECT_EQ(must(again->ek()).name(), ek);
}

TEST(TpmCareWithCertificates, FindsThePinnedEkBehindAnotherPersistentKey) {
  const Swtpm swtpm({.with_endorsement_keys = true});
  const auto other = [] { return tpm_device::DeviceOptions{.ek_profile = tpm::EkProfile::kL2}; };
  tpm::Name pinned = [&] {
    const auto device = open(swtpm, other());
    must(clear_as_another_owner(*device));
    return must(open(swtpm, other())->ek()).name();
  }();
  {
    const auto device = open(swtpm, {.ek_profile = tpm::EkProfile::kL1});
    must(tpm_device::set_hierarchy_auths(*device, {{}, secret("endorsement")}));  // makes L-1 persistent
    must(tpm_device::clear(*device, SecretBytes()));                              // and again, without the auth value
  }
  ASSERT_NE(must(open(swtpm)->ek()).name(), pinned);
  EXPECT_EQ(must(open(swtpm, {.ek_name = pinned})->ek()).name(), pinned);
}

TEST_F(TpmCare, SetsConfiguredAuthsAndWorksWithThemAfterAReset) {
  const HierarchyAuths auths{secret("owner"), secret("endorsement")};
  {
    const auto device = open(swtpm_);
    must(tpm_device::set_hierarchy_auths(*device, auths));
    must(tpm_device::set_hierarchy_auths(*device, auths));  // done already
    const tcb::TpmStatus status = must(tpm_device::read_status(*device));
    EXPECT_TRUE(status.owner_auth_set);
    EXPECT_TRUE(status.endorsement_auth_set);
    EXPECT_TRUE(device->srk_public());
  }
  swtpm_.power_cut();
  {
    const auto device = open(swtpm_, {.owner_auth = secret("owner"), .endorsement_auth = secret("endorsement")});
    make_key(*device, tpm::kNoDa);  // needs the owner
    EXPECT_TRUE(tpm_device::create_primary(*device, ESYS_TR_RH_ENDORSEMENT, tpm::ek_template(tpm::EkProfile::kL2)));
  }
  const auto stranger = open(swtpm_);
  expect_error(tpm_device::create_primary(*stranger, ESYS_TR_RH_OWNER, tpm::srk_ecc_template()), ErrorKind::kRefused,
               "tpm.auth");
}

TEST_F(TpmCare, UsesNoAuthsWhenTheTpmHasNone) {
  // Configured, and the TPM was cleared since.
  const auto device = open(swtpm_, {.owner_auth = secret("owner"), .endorsement_auth = {}});
  expect_error(tpm_device::create_primary(*device, ESYS_TR_RH_OWNER, tpm::srk_ecc_template()), ErrorKind::kRefused,
               "tpm.auth");
  must(tpm_device::use_hierarchy_auths(*device, {secret("owner"), secret("endorsement")}));
  EXPECT_TRUE(tpm_device::create_primary(*device, ESYS_TR_RH_OWNER, tpm::srk_ecc_template()));
}

TEST_F(TpmCare, OwnsThroughTheTcbsPortWithConfiguredAuths) {
  const auto options = [] {
    return tpm_device::DeviceOptions{.owner_auth = secret("owner"), .endorsement_auth = secret("endorsement")};
  };
  {
    const auto tpm = must(tpm_device::TcbTpm::open(swtpm_.tcti(), options()));
    EXPECT_TRUE(tpm->keys());  // not owned yet: it works without
    must(tpm->own(auth_, three_tries_));
    expect_error(tpm->own(auth_, three_tries_), ErrorKind::kConflict, "tpm.owned");
  }
  swtpm_.power_cut();
  const auto tpm = must(tpm_device::TcbTpm::open(swtpm_.tcti(), options()));
  const tcb::TpmStatus owned = must(tpm->status());
  EXPECT_TRUE(owned.owner_auth_set && owned.endorsement_auth_set && owned.lockout_auth_set);
  must(tpm->reset_lockout(auth_));
  const Bytes srk = must(tpm->keys()).srk_public;
  must(tpm->clear(auth_));
  const tcb::TpmStatus cleared = must(tpm->status());
  EXPECT_FALSE(cleared.owner_auth_set || cleared.endorsement_auth_set || cleared.lockout_auth_set);
  EXPECT_EQ(cleared.ek_name, owned.ek_name);
  EXPECT_NE(must(tpm->keys()).srk_public, srk);
}

// A power cut counts as a wrong try when a key without noDA was used: the TPM cannot know what was tried before it.
TEST_F(TpmCare, IsLockedOutByPowerCutsWithAKeyWithoutNoDa) {
  {
    const auto device = open(swtpm_);
    must(tpm_device::take_ownership(*device, auth_, three_tries_));
    make_key(*device, 0);
    must(sign(*device));
  }
  for (std::uint32_t cuts = 1; cuts <= 3; ++cuts) {
    swtpm_.power_cut();
    const auto device = open(swtpm_);
    const tcb::TpmStatus status = must(tpm_device::read_status(*device));
    EXPECT_EQ(status.lockout_counter, cuts);
    EXPECT_EQ(status.in_lockout, cuts == 3);
    EXPECT_FALSE(status.orderly);
    if (cuts < 3) must(sign(*device));
  }
  const auto device = open(swtpm_);
  expect_error(sign(*device), ErrorKind::kUnavailable, "tpm.lockout");
  must(tpm_device::reset_lockout(*device, auth_));
  EXPECT_EQ(must(tpm_device::read_status(*device)).lockout_counter, 0u);
  EXPECT_TRUE(sign(*device));
}

TEST_F(TpmCare, IsNotLockedOutByPowerCutsWithKeysThatHaveNoDa) {
  make_key(*open(swtpm_), tpm::kNoDa);
  for (int cuts = 1; cuts <= 5; ++cuts) {
    const auto device = open(swtpm_);
    must(sign(*device));
    // What this library makes: the SRK and what is under it.
    const auto sealed = must(tpm_device::create_keyed_hash(*device, tpm_device::KeyedHashUse::kSeal, secret("s"), {}));
    must(tpm_device::unseal(*device, sealed, {}));
    swtpm_.power_cut();
  }
  EXPECT_EQ(must(tpm_device::read_status(*open(swtpm_))).lockout_counter, 0u);
}

TEST_F(TpmCare, IsNotLockedOutAfterOrderlyShutdowns) {
  make_key(*open(swtpm_), 0);
  for (int stops = 1; stops <= 5; ++stops) {
    const auto device = open(swtpm_);
    must(sign(*device));
    must(tpm_device::shut_down(*device));
    swtpm_.power_cut();
  }
  const auto device = open(swtpm_);
  const tcb::TpmStatus status = must(tpm_device::read_status(*device));
  EXPECT_EQ(status.lockout_counter, 0u);
  EXPECT_TRUE(status.orderly);
  EXPECT_TRUE(sign(*device));
}

TEST_F(TpmCare, GoesOnAfterAShutdownThatWasNotFollowedByAPowerCut) {
  const auto device = open(swtpm_);
  must(tpm_device::shut_down(*device));
  EXPECT_TRUE(device->srk_public());
}

}  // namespace
}  // namespace warifu::test
