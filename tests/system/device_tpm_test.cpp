// The device's TPM as the TCB uses it, on swtpm without a resource manager: three slots for objects, three for
// sessions.
#include "device_tpm.h"
#include "forger.h"
#include "tpm_device/keys.h"
#include "tpm_device/pcr.h"
#include "tpm_types/templates.h"

namespace warifu::test {
namespace {

using testing::HasSubstr;

TEST_F(TpmDevice, OpensTheServersKeyAndSignsAsOpenSslDoes) {
  for (const auto profile :
       {tpm::EkProfile::kL1, tpm::EkProfile::kL1Dps, tpm::EkProfile::kL2, tpm::EkProfile::kH1, tpm::EkProfile::kH3}) {
    const auto device = open({.ek_profile = profile});
    const tcb::WrappedObject key = must(device->activate(server_key_for(*device)));
    EXPECT_EQ(revealed(device->hmac(key, message_)), expected_mac()) << tpm::info_of(profile).name;
  }
}

TEST_F(TpmDevice, SignsWithTheKeyAfterARestart) {
  tcb::WrappedObject key;
  {
    const auto device = open();
    key = must(device->activate(server_key_for(*device)));
  }
  EXPECT_EQ(revealed(open()->hmac(key, message_)), expected_mac());
}

TEST_F(TpmDevice, RefusesAKeyForAnotherTpm) {
  const Swtpm other_tpm;
  const Bytes for_other = server_key_for(*open_on(other_tpm));
  const auto device = open();
  expect_error(device->activate(for_other), ErrorKind::kRefused, "tpm.activation");
  // And for the EK of this one with the SRK of the other.
  const auto ek = must(tpm::EkPublic::from_tpm2b(must(device->keys()).ek_public));
  const auto other_srk = must(tpm::SrkPublic::from_tpm2b(must(open_on(other_tpm)->keys()).srk_public));
  const Bytes mixed = must(tpm::make_authentication_key(ek, other_srk, hmac_key_, entropy_));
  expect_error(device->activate(mixed), ErrorKind::kRefused, "tpm.activation");
  // It works all the same afterwards.
  EXPECT_TRUE(device->activate(server_key_for(*device)));
}

TEST_F(TpmDevice, RefusesAKeyThatWasChangedOnItsWay) {
  const auto device = open();
  const Bytes good = server_key_for(*device);
  // In the credential, in the duplicate, in the object's `unique`.
  for (const std::size_t offset : {std::size_t{40}, std::size_t{400}, good.size() - 4}) {
    Bytes bad = good;
    bad[offset] ^= 1;
    expect_error(device->activate(bad), ErrorKind::kRefused, "tpm.activation");
  }
  EXPECT_TRUE(device->activate(good));
}

TEST_F(TpmDevice, LeavesNothingInTheSlotsOfTheTpm) {
  const auto device = open();
  for (int i = 0; i < 50; ++i) {
    const tcb::WrappedObject key = must(device->activate(server_key_for(*device)));
    ASSERT_EQ(revealed(device->hmac(key, message_)), expected_mac()) << i;
  }
}

TEST_F(TpmDevice, LeavesNothingInTheSlotsWhenItIsRefused) {
  const auto device = open();
  const Bytes good = server_key_for(*device);
  Bytes bad = good;
  bad[good.size() - 4] ^= 1;
  for (int i = 0; i < 8; ++i) {
    ASSERT_FALSE(device->activate(bad));
    // A refusal by the guard makes ESYS start anew, with nothing left from before.
    Device& raw = device->device();
    const auto loaded = raw.load_ek();
    ASSERT_TRUE(loaded) << to_string(loaded.error());
    ASSERT_FALSE(raw.check(
        Esys_PCR_Read(raw.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, nullptr, nullptr, nullptr),
        "TPM2_PCR_Read"));
  }
  EXPECT_TRUE(device->activate(good));
}

TEST_F(TpmDevice, KeepsItsStorageRootKeyAcrossRestarts) {
  const Bytes first = must(open()->keys()).srk_public;
  EXPECT_EQ(must(open()->keys()).srk_public, first);
}

TEST_F(TpmDevice, TakesOnlyThePinnedEndorsementKey) {
  const tpm::Name pinned = ek_name(*open());
  EXPECT_TRUE(open({.ek_name = pinned})->random(16));
  // Another TPM in the same place.
  const Swtpm other_tpm;
  const auto swapped = open_on(other_tpm, {.ek_name = pinned});
  expect_error(swapped->random(16), ErrorKind::kRefused, "tpm.ek.swapped");
  expect_error(swapped->keys(), ErrorKind::kRefused, "tpm.ek.swapped");
}

TEST_F(TpmDevice, GivesRandomBytesOfAnySize) {
  const auto device = open();
  for (const std::size_t size : {0u, 1u, 32u, 33u, 100u})
    EXPECT_EQ(must(device->random(size)).size(), size);
  EXPECT_NE(to_hex(must(device->random(16)).reveal()), to_hex(must(device->random(16)).reveal()));
}

TEST_F(TpmDevice, UnsealsWhatItSealed) {
  const auto device = open();
  const SecretBytes secret = SecretBytes::random(entropy_, 128);
  const tcb::WrappedObject sealed = must(device->seal(secret, {}));
  EXPECT_EQ(to_hex(must(device->unseal(sealed, {})).reveal()), to_hex(secret.reveal()));
  const SecretBytes longer = SecretBytes::random(entropy_, 129);
  EXPECT_FALSE(device->seal(longer, {}));
}

TEST_F(TpmDevice, UnsealsOnlyWhileThePcrsAreTheSame) {
  const auto device = open();
  const SecretBytes secret = SecretBytes::random(entropy_, 32);
  const tcb::WrappedObject sealed = must(device->seal(secret, {7, 16}));
  EXPECT_EQ(to_hex(must(device->unseal(sealed, {7, 16})).reveal()), to_hex(secret.reveal()));
  expect_error(device->unseal(sealed, {7}), ErrorKind::kRefused, "tpm.policy");
  EXPECT_FALSE(device->unseal(sealed, {}));
  ASSERT_TRUE(extend_pcr(device->device(), ESYS_TR_PCR16));
  expect_error(device->unseal(sealed, {7, 16}), ErrorKind::kRefused, "tpm.policy");
  expect_error(device->seal(secret, {24}), ErrorKind::kInvalidInput, "tpm.pcr");
}

TEST_F(TpmDevice, AKeyIsDeadAfterTheTpmWasCleared) {
  const auto device = open();
  const tcb::TpmKeys before = must(device->keys());
  const tcb::WrappedObject key = must(device->activate(server_key_for(*device)));
  ASSERT_TRUE(clear(device->device()));
  expect_error(device->hmac(key, message_), ErrorKind::kRefused, "tpm.key.dead");
  const tcb::TpmKeys after = must(device->keys());
  EXPECT_EQ(after.ek_public, before.ek_public);
  EXPECT_NE(after.srk_public, before.srk_public);
  const tcb::WrappedObject anew = must(device->activate(server_key_for(*device)));
  EXPECT_EQ(revealed(device->hmac(anew, message_)), expected_mac());
}

TEST_F(TpmDevice, SeesThatAnotherProgramClearedTheTpm) {
  const auto device = open();
  const tcb::WrappedObject key = must(device->activate(server_key_for(*device)));
  device->device().forget_session();  // swtpm serves one connection at a time; so the other has its slots
  {
    const auto other = open();
    ASSERT_TRUE(clear(other->device()));
    ASSERT_TRUE(other->keys());  // another SRK, at the same handle
  }
  expect_error(device->hmac(key, message_), ErrorKind::kRefused, "tpm.key.dead");
}

TEST_F(TpmDevice, GoesOnInAFreshSessionAfterAResetOfTheTpm) {
  const auto device = open();
  const tcb::WrappedObject key = must(device->activate(server_key_for(*device)));
  swtpm_.reset();
  EXPECT_EQ(revealed(device->hmac(key, message_)), expected_mac());
  swtpm_.reset();
  EXPECT_EQ(must(device->random(16)).size(), 16u);
}

TEST_F(TpmDevice, AuthorizesWithOwnerAndEndorsementAuthThatTheBusNeverSees) {
  const Bytes value = to_bytes(as_bytes("sixteen byte key"));
  const auto auth = sized(value, &TPM2B_AUTH::buffer);
  const auto options = [&] { return DeviceOptions{.owner_auth = SecretBytes::copy_of(value), .endorsement_auth = {}}; };
  {
    const auto device = open();
    Device& raw = device->device();
    ASSERT_TRUE(raw.run(Protect::kSecrets, [&](ESYS_TR session) {
      return raw.check(
          Esys_HierarchyChangeAuth(raw.esys(), ESYS_TR_RH_OWNER, session, ESYS_TR_NONE, ESYS_TR_NONE, &auth),
          "TPM2_HierarchyChangeAuth");
    }));
  }
  expect_error(open()->keys(), ErrorKind::kRefused, "tpm.auth");
  EXPECT_TRUE(open(options())->keys());
}

// Without a session to the EK the auth value would have to go over the bus to make the EK.
TEST_F(TpmDevice, RefusesAnEndorsementAuthWithoutAPersistentEk) {
  const auto auth = sized(as_bytes("endorsement"), &TPM2B_AUTH::buffer);
  {
    const auto device = open();
    Device& raw = device->device();
    ASSERT_TRUE(raw.run(Protect::kSecrets, [&](ESYS_TR session) {
      return raw.check(
          Esys_HierarchyChangeAuth(raw.esys(), ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_NONE, ESYS_TR_NONE, &auth),
          "TPM2_HierarchyChangeAuth");
    }));
  }
  expect_error(open()->keys(), ErrorKind::kRefused, "tpm.ek.auth");
}

TEST_F(TpmDevice, OwnsTheTpmOnceAndClearsItWithTheSameAuth) {
  const SecretBytes lockout_auth = SecretBytes::random(entropy_, 32);
  const SecretBytes wrong = SecretBytes::random(entropy_, 32);
  const auto options = [&] {
    return DeviceOptions{.owner_auth = SecretBytes::copy_of(as_bytes("owner")),
                         .endorsement_auth = SecretBytes::copy_of(as_bytes("endorsement"))};
  };
  tcb::WrappedObject key;
  {
    const auto device = open(options());
    ASSERT_TRUE(device->own(lockout_auth, {}));
    expect_error(device->own(lockout_auth, {}), ErrorKind::kConflict, "tpm.owned");
    const tcb::TpmStatus status = must(device->status());
    EXPECT_TRUE(status.lockout_auth_set && status.owner_auth_set && status.endorsement_auth_set);
    key = must(device->activate(server_key_for(*device)));
  }
  const auto device = open(options());
  EXPECT_EQ(revealed(device->hmac(key, message_)), expected_mac());
  EXPECT_EQ(revealed(device->hmac(must(device->activate(server_key_for(*device))), message_)), expected_mac());
  EXPECT_TRUE(device->reset_lockout(lockout_auth));
  const tcb::TpmKeys before = must(device->keys());
  ASSERT_TRUE(device->clear(lockout_auth));
  EXPECT_FALSE(must(device->status()).lockout_auth_set);
  EXPECT_EQ(must(device->keys()).ek_public, before.ek_public);
  expect_error(device->hmac(key, message_), ErrorKind::kRefused, "tpm.key.dead");
  ASSERT_TRUE(device->own(lockout_auth, {}));
  EXPECT_FALSE(device->clear(wrong));
  EXPECT_TRUE(must(device->status()).lockout_auth_set);
}

TEST_F(TpmDevice, DoesNothingTwiceBecauseSomebodySaysThatTheSessionIsLost) {
  Forger forger(connect(swtpm_));
  const auto device = must(Device::open(forger.connect(), {}));
  const auto measured = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes("measured")});
  const auto before = must(tpm_device::read_pcrs(*device, {16})).front().value;
  // TPM2_PCR_Extend and TPM_RC_REFERENCE_S0, TPM_RC_RETRY.
  forger.forge(0x182, 0x918);
  EXPECT_FALSE(tpm_device::extend_pcr(*device, 16, measured));
  EXPECT_TRUE(forger.has_forged());
  const auto once = crypto::digest(crypto::HashAlgorithm::kSha256, {before.bytes(), measured.bytes()});
  EXPECT_EQ(must(tpm_device::read_pcrs(*device, {16})).front().value, once);
  forger.forge(0x182, 0x922);
  EXPECT_FALSE(tpm_device::extend_pcr(*device, 16, measured));
  EXPECT_TRUE(forger.has_forged());
  const auto twice = crypto::digest(crypto::HashAlgorithm::kSha256, {once.bytes(), measured.bytes()});
  EXPECT_EQ(must(tpm_device::read_pcrs(*device, {16})).front().value, twice);
}

// The TPM has gone on in the session, and we have not.
TEST_F(TpmDevice, GoesOnAfterAForgedError) {
  Forger forger(connect(swtpm_));
  TcbTpm device(must(Device::open(forger.connect(), {})));
  ASSERT_TRUE(device.random(16));
  for (const std::uint32_t error : {0x922u, 0x9A2u, 0x101u, 0x001u, 0x128u}) {
    forger.forge(0x17B, error);  // TPM2_GetRandom
    EXPECT_FALSE(device.random(16)) << std::hex << error;
    EXPECT_TRUE(forger.has_forged());
    EXPECT_TRUE(device.status()) << std::hex << error;
    EXPECT_TRUE(device.random(16)) << std::hex << error;
  }
}

// An error is not authenticated: it is no proof that the index is not there.
TEST_F(TpmDevice, ForgetsNoTrustBundleBecauseSomebodySaysThatThereIsNone) {
  Forger forger(connect(swtpm_));
  TcbTpm device(must(Device::open(forger.connect(), {})));
  must(device.write_anchor(Bytes(tcb::AnchorNv::kAnchorSize, 7)));
  must(device.raise_anchor_counter());
  for (const std::uint32_t command : {0x169u, 0x14Eu, 0x17Au})    // TPM2_NV_ReadPublic, NV_Read, GetCapability
    for (const std::uint32_t error : {0x18Bu, 0x14Au, 0x28Bu}) {  // TPM_RC_HANDLE, NV_UNINITIALIZED
      forger.forge(command, error);
      const auto anchor = device.read_anchor();
      EXPECT_TRUE(forger.has_forged());
      EXPECT_TRUE(!anchor || *anchor) << std::hex << command << ", " << error;
      forger.forge(command, error);
      const auto counter = device.read_anchor_counter();
      EXPECT_TRUE(!counter || *counter) << std::hex << command << ", " << error;
    }
  EXPECT_TRUE(must(device.read_anchor()));
}

class TpmGuard : public TpmDevice {
 protected:
  const std::unique_ptr<TcbTpm> tpm_ = open();
  Device& device_ = tpm_->device();

  Status create(Protect protect) {
    const ESYS_TR srk = must(device_.srk());
    auto sensitive = TPM2B_SENSITIVE_CREATE{};
    sensitive.sensitive.data = sized(as_bytes("TOP-SECRET"), &TPM2B_SENSITIVE_DATA::buffer);
    TPM2B_PUBLIC area{};
    area.publicArea.type = TPM2_ALG_KEYEDHASH;
    area.publicArea.nameAlg = TPM2_ALG_SHA256;
    area.publicArea.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;
    area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION no_pcrs{};
    return device_.run(protect, [&](ESYS_TR session) {
      return device_.check(Esys_Create(device_.esys(), srk, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &area,
                                       &outside, &no_pcrs, nullptr, nullptr, nullptr, nullptr, nullptr),
                           "TPM2_Create");
    });
  }
  // Of a primary in the endorsement hierarchy, with this password.
  Status create_primary(std::string_view password) {
    EXPECT_TRUE(device_.set_auth(ESYS_TR_RH_ENDORSEMENT, SecretBytes::copy_of(as_bytes(password))));
    const TPM2B_PUBLIC area = must(tpm_device::to_public(tpm::srk_rsa_template()));
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION no_pcrs{};
    ESYS_TR primary = ESYS_TR_NONE;
    TRY_STATUS(device_.check(
        Esys_CreatePrimary(device_.esys(), ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &sensitive, &area, &outside, &no_pcrs, &primary, nullptr, nullptr, nullptr, nullptr),
        "TPM2_CreatePrimary"));
    const tpm_device::Handle flushed(device_, primary, tpm_device::Handle::Kind::kInSlot);
    return {};
  }
};

TEST_F(TpmGuard, SendsNoSecretWithoutEncryption) {
  expect_error(create(Protect::kAnswers), ErrorKind::kInternal, "tpm.guard.request-clear");
  EXPECT_TRUE(create(Protect::kSecrets));
}

TEST_F(TpmGuard, SendsNoPassword) {
  EXPECT_TRUE(create_primary(""));
  expect_error(create_primary("owner"), ErrorKind::kInternal, "tpm.guard.password");
}

TEST_F(TpmGuard, SendsNoCommandThatItDoesNotKnow) {
  const auto data = sized(as_bytes("data"), &TPM2B_MAX_BUFFER::buffer);
  const Status hashed = device_.run(Protect::kAnswers, [&](ESYS_TR session) {
    return device_.check(Esys_Hash(device_.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, &data, TPM2_ALG_SHA256,
                                   ESYS_TR_RH_NULL, nullptr, nullptr),
                         "TPM2_Hash");
  });
  expect_error(hashed, ErrorKind::kInternal, "tpm.guard.unknown-command");
  EXPECT_THAT(hashed.error().message, HasSubstr("0x0000017d"));
  EXPECT_TRUE(tpm_->random(8));  // and goes on
}

TEST_F(TpmGuard, AsksNothingInClearThatADecisionRestsOn) {
  const auto read_clock = [&](ESYS_TR session) {
    return device_.check(Esys_ReadClock(device_.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, nullptr),
                         "TPM2_ReadClock");
  };
  EXPECT_TRUE(device_.run(Protect::kAnswers, read_clock));
  expect_error(read_clock(ESYS_TR_NONE), ErrorKind::kInternal, "tpm.guard.unauthenticated");
}

TEST_F(TpmGuard, WithoutProtectionTheSameCommandsWorkInClear) {
  const auto clear = open({.table = tpm::CommandTable::without_protection()});
  const SecretBytes secret = SecretBytes::random(entropy_, 32);
  EXPECT_EQ(to_hex(must(clear->unseal(must(clear->seal(secret, {})), {})).reveal()), to_hex(secret.reveal()));
  EXPECT_TRUE(clear->random(8));
  const tcb::WrappedObject key = must(clear->activate(server_key_for(*clear)));
  EXPECT_EQ(revealed(clear->hmac(key, message_)), expected_mac());
}

}  // namespace
}  // namespace warifu::test
