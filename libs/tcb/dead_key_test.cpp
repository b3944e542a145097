#include "tcb/device_certificate_fixture_test.h"

// What becomes of a certificate when its key dies, and when the TPM is away.
namespace warifu::tcb {
namespace {

TEST_F(DeviceCertificate, DiesWithItsSrkAndTheIDevIdDoesNot) {
  auto for_life = profile();
  for_life.not_after = crypto::kForLife;
  const auto idevid = chain_of(organisation().device(for_life, key_of(prove(true))));
  ASSERT_EQ(accept(idevid, 0, true), "");
  obtain();
  obtain();
  prove();
  clear_by_somebody_else();
  const auto shown = show();
  EXPECT_TRUE(shown.died);
  EXPECT_THAT(shown.chain, IsEmpty());
  EXPECT_THAT(shown.previous, IsEmpty());
  EXPECT_FALSE(shown.waiting);
  EXPECT_THAT(device_.journal.warnings, testing::ElementsAre(testing::HasSubstr("LDevID")));
  EXPECT_FALSE(show().died) << "it is told once";
  EXPECT_EQ(show(true).chain, idevid);
  EXPECT_EQ(device_.ask(ExportKey{}, Caller::kAdministrator), "tcb.certificate.none");
}

TEST_F(DeviceCertificate, IsDroppedWhenItsDeathIsNoticedBySigning) {
  const auto handshake = checked(obtain());
  clear_by_somebody_else();
  EXPECT_EQ(sign_code(handshake), "tpm.key.dead");
  EXPECT_THAT(show().chain, IsEmpty());
}

TEST_F(DeviceCertificate, IsForgottenWhenTheTpmIsCleared) {
  const auto package = device_.own();
  const auto chain = obtain();
  const Bytes auth = *device_.tpm.lockout_auth;
  ASSERT_EQ(device_.ask(Clear{SecretBytes::copy_of(auth)}, Caller::kAdministrator), "");
  EXPECT_FALSE(show().died);
  EXPECT_THAT(show().chain, IsEmpty());
}

// What the TPM does not say of a key is no death.
TEST_F(DeviceCertificate, OutlivesATpmThatIsAway) {
  const auto chain = obtain();
  device_.power.cut_at(2);  // the record is read before
  EXPECT_EQ(device_.ask(ShowCertificate{false}), "test.power");
  device_.power.restore();
  EXPECT_EQ(show().chain, chain);
}

}  // namespace
}  // namespace warifu::tcb
