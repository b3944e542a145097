// Policies: swtpm computes their digests too, and opens or does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/private_key.h"
#include "tpm_device/keys.h"
#include "tpm_device/nv.h"
#include "tpm_device/pcr.h"
#include "tpm_device/policy.h"
#include "tpm_test.h"
#include "wire/writer.h"

namespace warifu::test {
namespace {

using crypto::HashAlgorithm;
using tpm_device::PolicySession;

// The TPM's trial session: the digest of the assertions without their being true.
class TpmPolicies : public TpmFeatures {
 protected:
  PolicySession session() { return must(PolicySession::start(*device_)); }
  tcb::WrappedObject seal(const tpm::PolicyDigest& policy) {
    return must(
        tpm_device::create_keyed_hash(*device_, tpm_device::KeyedHashUse::kSeal, secret("sealed"), policy.bytes()));
  }
  void expect_opens(const tcb::WrappedObject& sealed, const PolicySession& policy) {
    const auto opened = tpm_device::unseal(*device_, sealed, policy);
    ASSERT_TRUE(opened) << to_string(opened.error());
    EXPECT_EQ(as_text(opened->reveal()), "sealed");
  }
  void expect_stays_shut(const tcb::WrappedObject& sealed, const PolicySession& policy) {
    expect_error(tpm_device::unseal(*device_, sealed, policy), ErrorKind::kRefused, "tpm.policy");
  }
  tpm_device::ApprovedPolicy approve(const crypto::PrivateKey& organisation, const tpm::PolicyDigest& policy,
                                     const tpm::PolicyRef& reference = {}) {
    Bytes message = to_bytes(policy.bytes());
    message.insert(message.end(), reference.bytes.begin(), reference.bytes.end());
    return {must(tpm::VerificationKey::of(organisation.public_key())), reference, organisation.sign(message)};
  }
  tpm::PolicyDigest pcr_policy(const tcb::PcrList& pcrs) {
    const auto values = must(tpm_device::read_pcrs(*device_, pcrs));
    return empty().pcr(must(tpm_device::pcr_selection(pcrs)), tpm_device::pcr_digest(values));
  }
  static tpm::PolicyDigest empty() { return tpm::PolicyDigest(HashAlgorithm::kSha256); }
};

TEST_F(TpmPolicies, HaveTheDigestsThatTheTpmComputes) {
  must(tpm_device::define_nv(*device_, nv_index(0, 8)));
  must(tpm_device::write_nv(*device_, kIndex, secret("8 bytes.")));
  const tpm::Name nv_name = must(tpm_device::read_nv_public(*device_, kIndex)).name();
  const tpm::NvOperand operand{to_bytes(as_bytes("bytes")), 2, tpm::NvComparison::kEqual};

  PolicySession policy = session();
  EXPECT_EQ(must(policy.digest()), empty().value());
  must(policy.secret(ESYS_TR_RH_ENDORSEMENT));
  EXPECT_EQ(must(policy.digest()), tpm::ek_policy_a(HashAlgorithm::kSha256));
  must(policy.restart());
  must(policy.pcr({0, 10, 23}));
  EXPECT_EQ(must(policy.digest()), pcr_policy({0, 10, 23}).value());
  must(policy.nv(kIndex, operand));
  must(policy.command_code(0x15E));
  must(policy.auth_value());
  const auto expected = pcr_policy({0, 10, 23}).nv(nv_name, operand).command_code(0x15E).auth_value().value();
  EXPECT_EQ(must(policy.digest()), expected);
  const std::array branches = {sha256("another"), expected};
  must(policy.any_of(branches));
  EXPECT_EQ(must(policy.digest()), empty().any_of(branches).value());
}

TEST_F(TpmPolicies, OpenOnlyWithTheAssertionsOfTheSeal) {
  const auto sealed = seal(empty().secret(tpm::EntityName::of_handle(tpm::kRhOwner)));
  PolicySession policy = session();
  expect_stays_shut(sealed, policy);
  must(policy.restart());
  must(policy.secret(ESYS_TR_RH_ENDORSEMENT));
  expect_stays_shut(sealed, policy);
  must(policy.restart());
  must(policy.secret(ESYS_TR_RH_OWNER));
  expect_opens(sealed, policy);
}

TEST_F(TpmPolicies, RefuseABranchThatIsNotAmongThem) {
  PolicySession policy = session();
  const std::array branches = {sha256("one"), sha256("two")};
  expect_error(policy.any_of(branches), ErrorKind::kRefused, "tpm.policy");
  expect_error(policy.any_of(std::span(branches).first(1)), ErrorKind::kInvalidInput, "tpm.policy.branches");
}

TEST_F(TpmPolicies, RefusePcrsWithOtherValues) {
  PolicySession policy = session();
  expect_error(policy.pcr({HashAlgorithm::kSha256, 1u << 10}, sha256("other values")), ErrorKind::kRefused,
               "tpm.policy");
}

TEST_F(TpmPolicies, ThatAnOrganisationSignsOpenWithoutSealingAnew) {
  for (const auto kind : {crypto::KeyKind::kEcP256, crypto::KeyKind::kEcP384, crypto::KeyKind::kRsa2048}) {
    const auto organisation = crypto::PrivateKey::generate(kind);
    const tpm::PolicyRef fleet{to_bytes(as_bytes("fleet"))};
    const auto key = must(tpm::VerificationKey::of(organisation.public_key()));
    const auto sealed = seal(empty().authorize(key.name(), fleet));

    PolicySession policy = session();
    const auto today = approve(organisation, pcr_policy({10}), fleet);
    must(policy.pcr({10}));
    must(policy.authorize(today));
    EXPECT_EQ(must(policy.digest()), empty().authorize(key.name(), fleet).value());
    expect_opens(sealed, policy);

    // An update: the old approval does not fit any more, a new one does, and nothing was sealed anew.
    must(tpm_device::extend_pcr(*device_, 10, sha256("update")));
    must(policy.restart());
    must(policy.pcr({10}));
    expect_error(policy.authorize(today), ErrorKind::kRefused, "tpm.signature");
    must(policy.authorize(approve(organisation, pcr_policy({10}), fleet)));
    expect_opens(sealed, policy);
  }
}

TEST_F(TpmPolicies, ThatAStrangerSignsOpenNothing) {
  const auto organisation = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto stranger = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto key = must(tpm::VerificationKey::of(organisation.public_key()));
  const auto sealed = seal(empty().authorize(key.name()));
  PolicySession policy = session();
  must(policy.pcr({10}));
  // In the organisation's name.
  auto forged = approve(stranger, pcr_policy({10}));
  forged.key = key;
  expect_error(policy.authorize(forged), ErrorKind::kRefused, "tpm.signature");
  // In his own: the TPM believes it, and it is another policy.
  must(policy.authorize(approve(stranger, pcr_policy({10}))));
  expect_stays_shut(sealed, policy);
  // For another purpose.
  must(policy.restart());
  must(policy.pcr({10}));
  must(policy.authorize(approve(organisation, pcr_policy({10}), {{1}})));
  expect_stays_shut(sealed, policy);
}

TEST_F(TpmPolicies, WithACounterShutOutWhatIsOld) {
  must(tpm_device::define_nv(*device_, nv_index(tpm::kNvCounter, 8)));
  must(tpm_device::increment_nv(*device_, kIndex));
  const std::uint64_t now = must(tpm_device::read_nv_counter(*device_, kIndex));
  const tpm::NvOperand at_most{wire::Writer().u64(now).take(), 0, tpm::NvComparison::kLessOrEqual};
  const auto sealed = seal(empty().nv(must(tpm_device::read_nv_public(*device_, kIndex)).name(), at_most));
  PolicySession policy = session();
  must(policy.nv(kIndex, at_most));
  expect_opens(sealed, policy);
  must(tpm_device::increment_nv(*device_, kIndex));
  must(policy.restart());
  expect_error(policy.nv(kIndex, at_most), ErrorKind::kRefused, "tpm.policy");
  expect_stays_shut(sealed, policy);
}

TEST_F(TpmPolicies, WithPcrsStayShutOnceCapped) {
  const auto sealed = seal(pcr_policy({10}));
  PolicySession policy = session();
  must(policy.pcr({10}));
  must(tpm_device::extend_pcr(*device_, 10, sha256("cap")));
  expect_stays_shut(sealed, policy);  // asserted before, used after
  must(policy.restart());
  must(policy.pcr({10}));
  expect_stays_shut(sealed, policy);
}

}  // namespace
}  // namespace warifu::test
