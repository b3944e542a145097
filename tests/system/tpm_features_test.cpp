// What a device can do with its TPM, each under protected sessions. swtpm, its trial sessions and OpenSSL are the
// judges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tss2/tss2_mu.h>

#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "crypto/public_key.h"
#include "swtpm.h"
#include "tpm_device/capability.h"
#include "tpm_device/clock.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/ek_certificate.h"
#include "tpm_device/ek_primary.h"
#include "tpm_device/keys.h"
#include "tpm_device/marshal.h"
#include "tpm_device/nv.h"
#include "tpm_device/pcr.h"
#include "tpm_device/policy.h"
#include "tpm_device/verify.h"
#include "wire/writer.h"

namespace warifu::test {
namespace {

using crypto::HashAlgorithm;
using tpm_device::Device;
using tpm_device::Handle;
using tpm_device::PolicySession;
using tpm_device::Protect;

constexpr std::uint32_t kIndex = 0x01800100;

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().code << ": " << to_string(result.error());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
void expect_error(const Result<T>& result, ErrorKind kind, std::string_view code) {
  ASSERT_FALSE(result) << "expected " << code;
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
  EXPECT_EQ(result.error().kind, kind) << to_string(result.error());
}

std::unique_ptr<Device> open(const Swtpm& swtpm) {
  return must(Device::open(must(tpm_device::TctiAddress::parse(swtpm.tcti())), {}));
}

SecretBytes secret(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

crypto::Digest sha256(std::string_view text) {
  return crypto::digest(HashAlgorithm::kSha256, {as_bytes(text)});
}

std::string hex(const crypto::Digest& digest) {
  return to_hex(digest.bytes());
}

class TpmFeatures : public testing::Test {
 protected:
  Swtpm swtpm_;
  std::unique_ptr<Device> device_ = open(swtpm_);
};

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

tpm::NvPublic index(std::uint32_t type, std::uint16_t size) {
  return {.index = kIndex,
          .attributes = tpm::kNvOwnerRead | tpm::kNvOwnerWrite | tpm::kNvAuthRead | tpm::kNvNoDa | type,
          .data_size = size};
}

TEST_F(TpmFeatures, KeepsMoreInNvThanGoesOverTheBusAtOnce) {
  const std::uint32_t at_once = must(tpm_device::read_property(*device_, tpm_device::kPtNvBufferMax));
  const auto size = static_cast<std::uint16_t>(at_once + 500);
  must(tpm_device::define_nv(*device_, index(0, size)));
  SecretBytes content(size);
  for (std::size_t i = 0; i < size; ++i)
    content.reveal_writable()[i] = static_cast<std::uint8_t>(i * 7);
  expect_error(tpm_device::read_nv(*device_, kIndex), ErrorKind::kNotFound, "tpm.nv.unwritten");
  must(tpm_device::write_nv(*device_, kIndex, content));
  EXPECT_EQ(to_bytes(must(tpm_device::read_nv(*open(swtpm_), kIndex)).reveal()), to_bytes(content.reveal()));
}

TEST_F(TpmFeatures, KeepsNvThroughAPowerCutAndForgetsWhatIsUndefined) {
  must(tpm_device::define_nv(*device_, index(0, 5)));
  must(tpm_device::write_nv(*device_, kIndex, secret("abcde")));
  swtpm_.power_cut();
  const auto device = open(swtpm_);
  EXPECT_EQ(as_text(must(tpm_device::read_nv(*device, kIndex)).reveal()), "abcde");
  must(tpm_device::undefine_nv(*device, kIndex));
  expect_error(tpm_device::read_nv(*device, kIndex), ErrorKind::kNotFound, "tpm.handle");
}

TEST_F(TpmFeatures, RefusesToWriteNvBeyondItsEndOrOfAnotherType) {
  must(tpm_device::define_nv(*device_, index(0, 5)));
  expect_error(tpm_device::write_nv(*device_, kIndex, secret("abcdef")), ErrorKind::kInvalidInput, "tpm.nv.size");
  expect_error(tpm_device::increment_nv(*device_, kIndex), ErrorKind::kConflict, "tpm.nv.type");
  expect_error(tpm_device::extend_nv(*device_, kIndex, secret("a")), ErrorKind::kConflict, "tpm.nv.type");
  expect_error(tpm_device::define_nv(*device_, index(0, 5)), ErrorKind::kConflict, "tpm.nv.defined");
}

TEST_F(TpmFeatures, CountsUpwardsOnly) {
  must(tpm_device::define_nv(*device_, index(tpm::kNvCounter, 8)));
  must(tpm_device::increment_nv(*device_, kIndex));
  const std::uint64_t first = must(tpm_device::read_nv_counter(*device_, kIndex));
  must(tpm_device::increment_nv(*device_, kIndex));
  EXPECT_EQ(must(tpm_device::read_nv_counter(*device_, kIndex)), first + 1);
  must(tpm_device::undefine_nv(*device_, kIndex));
  must(tpm_device::define_nv(*device_, index(tpm::kNvCounter, 8)));
  must(tpm_device::increment_nv(*device_, kIndex));
  EXPECT_GT(must(tpm_device::read_nv_counter(*device_, kIndex)), first + 1);
}

TEST_F(TpmFeatures, ExtendsNvLikeAPcr) {
  must(tpm_device::define_nv(*device_, index(tpm::kNvExtend, 32)));
  must(tpm_device::extend_nv(*device_, kIndex, secret("one")));
  must(tpm_device::extend_nv(*device_, kIndex, secret("two")));
  const auto first = crypto::digest(HashAlgorithm::kSha256, {Bytes(32), as_bytes("one")});
  const auto second = crypto::digest(HashAlgorithm::kSha256, {first.bytes(), as_bytes("two")});
  EXPECT_EQ(to_hex(must(tpm_device::read_nv(*device_, kIndex)).reveal()), hex(second));
}

TEST_F(TpmFeatures, AgreesOnTheNameOfAnIndex) {
  must(tpm_device::define_nv(*device_, index(0, 5)));
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
  must(tpm_device::define_nv(*device_, index(0, 5)));
  EXPECT_THAT(must(tpm_device::read_handles(*device_, 0x01000000, 0x01FFFFFF)), testing::ElementsAre(kIndex));
  EXPECT_THAT(must(tpm_device::read_handles(*device_, 0x01C00000, 0x01C07FFF)), testing::IsEmpty());
  must(device_->srk());
  EXPECT_THAT(must(tpm_device::read_handles(*device_, 0x81000000, 0x81FFFFFF)), testing::ElementsAre(0x81000001));
}

// --- Policies ---

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
  must(tpm_device::define_nv(*device_, index(0, 8)));
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
  must(tpm_device::define_nv(*device_, index(tpm::kNvCounter, 8)));
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

// --- Device identity ---

// OpenSSL's verdict on a TPMT_SIGNATURE of an ECDSA P-256 key.
struct EcdsaP256 {
  crypto::PublicKey key;
  Bytes der;
};

Bytes der_integer(ByteView value) {
  Bytes out = to_bytes(value);
  if (out.empty() || out[0] >= 0x80) out.insert(out.begin(), 0);
  return wire::Writer().u8(0x02).u8(static_cast<std::uint8_t>(out.size())).bytes(out).take();
}

Status verify_with_openssl(ByteView public_area, ByteView message, ByteView tpmt_signature) {
  TRY(const auto area, tpm::PublicArea::from_tpm2b(public_area));
  TRY(const Bytes prefix, from_hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"));
  const Bytes spki = wire::Writer().bytes(prefix).bytes(area.unique()).bytes(area.unique_y()).take();
  TRY(const auto key, crypto::PublicKey::from_spki(spki));
  TPMT_SIGNATURE signature{};
  std::size_t offset = 0;
  if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(tpmt_signature.data(), tpmt_signature.size(), &offset, &signature) != 0)
    return invalid_input("test", "no TPMT_SIGNATURE");
  const TPMS_SIGNATURE_ECDSA& ecdsa = signature.signature.ecdsa;
  const Bytes r = der_integer({ecdsa.signatureR.buffer, ecdsa.signatureR.size});
  const Bytes s = der_integer({ecdsa.signatureS.buffer, ecdsa.signatureS.size});
  const Bytes der = wire::Writer().u8(0x30).u8(static_cast<std::uint8_t>(r.size() + s.size())).bytes(r).bytes(s).take();
  return key.verify(message, der);
}

TPMS_ATTEST parse_attest(ByteView bytes) {
  TPMS_ATTEST out{};
  std::size_t offset = 0;
  EXPECT_EQ(Tss2_MU_TPMS_ATTEST_Unmarshal(bytes.data(), bytes.size(), &offset, &out), TSS2_RC_SUCCESS);
  EXPECT_EQ(offset, bytes.size());
  EXPECT_EQ(out.magic, TPM2_GENERATED_VALUE);
  return out;
}

class TpmIdentity : public TpmFeatures {
 protected:
  tpm_device::NewPrimary iak() {
    return must(tpm_device::create_identity_primary(*device_, tpm::iak_template(tpm::IdentityAlgorithm::kEccP256)));
  }
  const tpm_device::QualifyingData nonce_{to_bytes(as_bytes("a nonce of the server"))};
};

TEST_F(TpmIdentity, IsTheSameEachTimeAndAnotherOnEachTpm) {
  const Bytes first = iak().public_area;
  EXPECT_EQ(iak().public_area, first);
  const Swtpm other;
  const auto device = open(other);
  EXPECT_NE(must(tpm_device::create_identity_primary(*device, tpm::iak_template(tpm::IdentityAlgorithm::kEccP256)))
                .public_area,
            first);
}

TEST_F(TpmIdentity, SignsWithIDevIdAndNotWithIak) {
  const auto message = as_bytes("a message");
  const auto idevid =
      must(tpm_device::create_identity_primary(*device_, tpm::idevid_template(tpm::IdentityAlgorithm::kEccP256)));
  const Bytes signature = must(tpm_device::sign_digest(*device_, idevid.handle, sha256("a message")));
  EXPECT_TRUE(verify_with_openssl(idevid.public_area, message, signature));
  EXPECT_FALSE(verify_with_openssl(idevid.public_area, as_bytes("another"), signature));
  const auto attestation_key = iak();
  const auto refused = tpm_device::sign_digest(*device_, attestation_key.handle, sha256("a message"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
}

TEST_F(TpmIdentity, IsCertifiedAtItsCreationByTheIak) {
  const auto attestation_key = iak();
  const auto idevid =
      must(tpm_device::create_identity_primary(*device_, tpm::idevid_template(tpm::IdentityAlgorithm::kEccP256)));
  const auto proof = must(tpm_device::certify_creation(*device_, idevid, attestation_key.handle, nonce_));
  EXPECT_TRUE(verify_with_openssl(attestation_key.public_area, proof.attest, proof.signature));
  const TPMS_ATTEST attest = parse_attest(proof.attest);
  EXPECT_EQ(attest.type, TPM2_ST_ATTEST_CREATION);
  EXPECT_EQ(to_bytes({attest.extraData.buffer, attest.extraData.size}), nonce_.bytes);
  const auto name = must(tpm::PublicArea::from_tpm2b(idevid.public_area)).name();
  EXPECT_EQ(to_hex({attest.attested.creation.objectName.name, attest.attested.creation.objectName.size}), name.text());

  // A key of which the TPM has not said that it made it.
  auto lie = tpm_device::NewPrimary{iak().handle, idevid.public_area, idevid.creation_hash, idevid.ticket};
  EXPECT_FALSE(tpm_device::certify_creation(*device_, lie, attestation_key.handle, nonce_));
}

TEST_F(TpmIdentity, OfTheOwnerIsCertifiedByTheIak) {
  const auto attestation_key = iak();
  for (const bool restricted : {false, true}) {
    const auto wrapped =
        must(tpm_device::create_signing_key(*device_, restricted ? tpm::ak_template() : tpm::ldevid_template()));
    const Handle ldevid = must(tpm_device::load(*device_, wrapped));
    const auto proof = must(tpm_device::certify(*device_, ldevid, attestation_key.handle, nonce_));
    EXPECT_TRUE(verify_with_openssl(attestation_key.public_area, proof.attest, proof.signature));
    Bytes changed = proof.attest;
    changed.back() ^= 1;
    EXPECT_FALSE(verify_with_openssl(attestation_key.public_area, changed, proof.signature));
    const TPMS_ATTEST attest = parse_attest(proof.attest);
    EXPECT_EQ(attest.type, TPM2_ST_ATTEST_CERTIFY);
    const auto name = must(tpm::PublicArea::from_tpm2b(wrapped.public_area)).name();
    EXPECT_EQ(to_hex({attest.attested.certify.name.name, attest.attested.certify.name.size}), name.text());
    EXPECT_EQ(tpm_device::sign_digest(*device_, ldevid, sha256("m")).has_value(), !restricted);
  }
}

}  // namespace
}  // namespace warifu::test
