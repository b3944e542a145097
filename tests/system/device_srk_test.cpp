// The storage root key at 0x81000001: which ones the device uses, which ones it refuses, and which it makes.
#include "device_tpm.h"
#include "tpm_device/ek_primary.h"
#include "tpm_types/templates.h"

namespace warifu::test {
namespace {

// Puts a primary key of the owner hierarchy, made of this template, in the place of the SRK.
void put_in_place_of_srk(Device& device, const Bytes& tpm2b_template) {
  const auto evict = [&](ESYS_TR object) {
    return device.run(Protect::kAnswers, [&](ESYS_TR session) {
      ESYS_TR ignored = ESYS_TR_NONE;
      return device.check(Esys_EvictControl(device.esys(), ESYS_TR_RH_OWNER, object, session, ESYS_TR_NONE,
                                            ESYS_TR_NONE, tpm::kSrkHandle, &ignored),
                          "TPM2_EvictControl");
    });
  };
  ASSERT_TRUE(evict(must(device.srk())));
  const auto primary = must(tpm_device::create_primary(device, ESYS_TR_RH_OWNER, tpm2b_template));
  ASSERT_TRUE(evict(primary.get()));
}
// A storage key that may be duplicated, as an imported one is.
Bytes foreign_parent(const Bytes& srk_template) {
  TPM2B_PUBLIC area = must(tpm_device::to_public(srk_template));
  area.publicArea.objectAttributes &= ~static_cast<TPMA_OBJECT>(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT);
  return must(tpm_device::from_public(area));
}

// An imported key, whose private part somebody may know, in the place of the SRK.
TEST_F(TpmDevice, SealsNothingUnderAParentThatThisTpmDidNotMake) {
  for (const Bytes& srk : {tpm::srk_rsa_template(), tpm::srk_ecc_template()}) {
    const Swtpm swtpm;
    put_in_place_of_srk(open_on(swtpm)->device(), foreign_parent(srk));
    const auto device = open_on(swtpm);
    expect_error(device->seal(SecretBytes::random(entropy_, 32), {}), ErrorKind::kRefused, "tpm.srk.foreign");
    expect_error(device->keys(), ErrorKind::kRefused, "tpm.srk.foreign");
  }
}

// One that is there already, made by the owner's operating system perhaps: of whatever kind, it is the SRK.
TEST_F(TpmDevice, UsesTheStorageRootKeyThatIsThere) {
  struct Row {
    Bytes srk;
    tpm::EkProfile ek;
  };
  const Row rows[] = {{tpm::srk_ecc_template(), tpm::EkProfile::kL1},
                      {tpm::srk_ecc_p384_template(), tpm::EkProfile::kL1},
                      {tpm::srk_rsa_3072_template(), tpm::EkProfile::kL1},
                      {tpm::srk_ecc_template(), tpm::EkProfile::kH2},
                      {tpm::srk_ecc_p384_template(), tpm::EkProfile::kH3}};
  const SecretBytes secret = SecretBytes::random(entropy_, 32);
  for (const Row& row : rows) {
    const auto parameters = must(tpm::PublicArea::from_tpm2b(row.srk)).parameters();
    const Swtpm swtpm;
    put_in_place_of_srk(open_on(swtpm, {.ek_profile = row.ek})->device(), row.srk);
    tcb::WrappedObject key;
    tcb::WrappedObject sealed;
    Bytes srk_public;
    {
      const auto device = open_on(swtpm, {.ek_profile = row.ek});
      key = must(device->activate(server_key_for(*device)));
      sealed = must(device->seal(secret, {7}));
      srk_public = must(device->keys()).srk_public;
    }
    EXPECT_EQ(must(tpm::PublicArea::from_tpm2b(srk_public)).parameters().index(), parameters.index());
    const auto device = open_on(swtpm, {.ek_profile = row.ek});
    EXPECT_EQ(must(device->keys()).srk_public, srk_public);
    EXPECT_EQ(revealed(device->hmac(key, message_)), expected_mac());
    EXPECT_EQ(to_hex(must(device->unseal(sealed, {7})).reveal()), to_hex(secret.reveal()));
  }
}

TEST_F(TpmDevice, RefusesAKeyForAnotherTpmUnderAnEccParentToo) {
  put_in_place_of_srk(open()->device(), tpm::srk_ecc_template());
  const auto device = open();
  const auto ek = must(tpm::EkPublic::from_tpm2b(must(device->keys()).ek_public));
  const Swtpm other_tpm;
  put_in_place_of_srk(open_on(other_tpm)->device(), tpm::srk_ecc_template());
  const auto other_srk = must(tpm::SrkPublic::from_tpm2b(must(open_on(other_tpm)->keys()).srk_public));
  const Bytes mixed = must(tpm::make_authentication_key(ek, other_srk, hmac_key_, entropy_));
  expect_error(device->activate(mixed), ErrorKind::kRefused, "tpm.activation");
  // In the credential, in the duplicate, in the x and y of the seed's point, in the object's `unique`.
  const Bytes good = server_key_for(*device);
  ASSERT_EQ(good.size(), 578u);
  for (const std::size_t offset : {40u, 400u, 470u, 520u, 574u}) {
    Bytes bad = good;
    bad[offset] ^= 1;
    expect_error(device->activate(bad), ErrorKind::kRefused, "tpm.activation");
  }
  EXPECT_EQ(revealed(device->hmac(must(device->activate(good)), message_)), expected_mac());
}

// What this TPM made, but not as a key that a server would import under.
TEST_F(TpmDevice, SaysWhyAStorageKeyIsNotTaken) {
  TPM2B_PUBLIC area = must(tpm_device::to_public(tpm::srk_ecc_template()));
  area.publicArea.authPolicy.size = 32;
  put_in_place_of_srk(open()->device(), must(tpm_device::from_public(area)));
  expect_error(open()->keys(), ErrorKind::kInvalidInput, "tpm.srk.auth-policy");
}

// The template of the Azure SDKs: an enrolled device does not get another key because the TCB was made anew.
TEST_F(TpmDevice, MakesAnRsaStorageRootKeyWhereNoneIs) {
  const auto srk = must(tpm::PublicArea::from_tpm2b(must(open()->keys()).srk_public));
  const auto wanted = must(tpm::PublicArea::from_tpm2b(tpm::srk_rsa_template()));
  const std::size_t before_unique = wanted.tpmt().size() - 2;
  EXPECT_EQ(to_hex(srk.tpmt().first(before_unique)), to_hex(wanted.tpmt().first(before_unique)));
}

TEST_F(TpmDevice, AKeyIsDeadWhenTheOwnerChoseAnotherStorageRootKey) {
  const auto device = open();
  const tcb::WrappedObject key = must(device->activate(server_key_for(*device)));
  put_in_place_of_srk(device->device(), tpm::srk_ecc_template());
  expect_error(device->hmac(key, message_), ErrorKind::kRefused, "tpm.key.dead");
  const tcb::WrappedObject anew = must(device->activate(server_key_for(*device)));
  EXPECT_EQ(revealed(device->hmac(anew, message_)), expected_mac());
}

}  // namespace
}  // namespace warifu::test
