// A device attests itself: the device's half on swtpm, judged by the server's half (MakeCredential in software,
// verify()).
#include <gtest/gtest.h>

#include "attestation/quote/quote.h"
#include "device_tpm.h"
#include "tpm_device/attestation.h"
#include "tpm_types/make_credential.h"
#include "tpm_types/signature.h"
#include "wire/reader.h"

namespace warifu::test {
namespace {

using attestation::AkPublic;
using attestation::ExpectedNonce;
using crypto::HashAlgorithm;

const tcb::RegisterSelection kRegisters = {{HashAlgorithm::kSha256, {0, 4, 7, 9, 10, 11, 12, 13, 14, 16, 23}},
                                           {HashAlgorithm::kSha384, {0, 7}}};

struct Certified {
  tpm::Name name;
  Bytes extra_data;
};

// TPMS_ATTEST of TPM2_Certify (Part 2, "TPMS_ATTEST", "TPMS_CERTIFY_INFO"), read by hand.
Result<Certified> read_certification(ByteView attest, ByteView public_area) {
  wire::Reader reader(attest);
  TRY(const auto magic, reader.u32("magic"));
  TRY(const auto type, reader.u16("type"));
  if (magic != 0xff544347 || type != 0x8017) return invalid_input("test", "no certification");
  TRY_STATUS(reader.sized16("qualifiedSigner"));
  TRY(const auto extra, reader.sized16("extraData"));
  TRY_STATUS(reader.bytes(17 + 8, "clockInfo, firmwareVersion"));
  TRY(const auto name, reader.sized16("name"));
  TRY_STATUS(reader.sized16("qualifiedName"));
  TRY_STATUS(reader.expect_done("attest"));
  TRY(const auto area, tpm::PublicArea::from_tpm2b(public_area));
  if (!std::ranges::equal(area.name().bytes(), name)) return invalid_input("test", "the Name of another object");
  return Certified{area.name(), to_bytes(extra)};
}

class TpmAttestation : public TpmDevice {
 protected:
  measured_boot::RegisterValues values_of(const tcb::RegisterSelection& selection, const Bytes& concatenated) {
    measured_boot::RegisterValues out;
    std::size_t at = 0;
    for (const auto& one : selection) {
      for (const std::uint8_t pcr : one.pcrs) {
        crypto::Digest value(one.bank);
        std::copy_n(concatenated.begin() + static_cast<std::ptrdiff_t>(at), value.size(), value.writable().begin());
        at += value.size();
        out.bank(one.bank).set(pcr, value);
      }
    }
    EXPECT_EQ(at, concatenated.size());
    return out;
  }
  AkPublic ak_of(TcbTpm& device) { return must(AkPublic::from_tpm_public(must(device.attestation_key()))); }
  tpm::Name null_name(TcbTpm& device) {
    const auto certified = must(device.certify_null_primary(nonce_));
    return must(read_certification(certified->certification.attest, certified->public_area)).name;
  }

  const crypto::Digest nonce_ = sha256("the server's nonce");
};

TEST_F(TpmAttestation, IsBoundToItsEkByTheServersCredential) {
  for (const auto profile : {tpm::EkProfile::kL1, tpm::EkProfile::kH2}) {
    const Swtpm swtpm;
    const auto device = open_on(swtpm, {.ek_profile = profile});
    const auto ek = must(tpm::EkPublic::from_tpm2b(must(device->keys()).ek_public));
    const Bytes ak = must(device->attestation_key());
    EXPECT_EQ(must(device->attestation_key()), ak);
    const auto name = must(tpm::PublicArea::from_tpm2b(ak)).name();
    const SecretBytes secret = SecretBytes::random(entropy_, 32);
    const auto credential = must(tpm::make_credential(ek, name, secret, entropy_));
    const auto opened = device->activate_attestation(credential.id_object, credential.encrypted_secret);
    ASSERT_TRUE(opened) << to_string(opened.error());
    EXPECT_EQ(to_hex(opened->reveal()), to_hex(secret.reveal()));

    // For another key of the same TPM, and from another TPM.
    const auto srk = must(tpm::SrkPublic::from_tpm2b(must(device->keys()).srk_public));
    const auto other = must(tpm::make_credential(ek, srk.name(), secret, entropy_));
    expect_error(device->activate_attestation(other.id_object, other.encrypted_secret), ErrorKind::kRefused,
                 "tpm.activation");
    const Swtpm elsewhere;
    const auto stranger = open_on(elsewhere, {.ek_profile = profile});
    EXPECT_FALSE(stranger->activate_attestation(credential.id_object, credential.encrypted_secret));
    Bytes longer = credential.id_object;
    longer.push_back(0);
    EXPECT_EQ(device->activate_attestation(longer, credential.encrypted_secret).error().code, "wire.trailing");
  }
}

TEST_F(TpmAttestation, IsTheSameAfterTheTpmWasClearedAndReset) {
  auto device = open();
  const Bytes ak = must(device->attestation_key());
  ASSERT_TRUE(device->clear({}));
  EXPECT_EQ(must(device->attestation_key()), ak);
  swtpm_.power_cut();
  device = open();
  EXPECT_EQ(must(device->attestation_key()), ak);
}

TEST_F(TpmAttestation, QuotesWhatTheServerVerifies) {
  const auto device = open();
  ASSERT_TRUE(extend_pcr(device->device(), ESYS_TR_PCR10));
  const auto made = must(device->quote(kRegisters, nonce_));
  const Bytes values = must(device->read_registers(kRegisters));
  const auto ak = ak_of(*device);
  const auto quote = attestation::verify({made.attest, made.signature}, ak, ExpectedNonce{to_bytes(nonce_.bytes())});
  ASSERT_TRUE(quote) << to_string(quote.error());
  EXPECT_TRUE(attestation::expect_parent(*quote, Bytes{0x40, 0x00, 0x00, 0x0b}));
  const auto proved = attestation::prove_registers(*quote, values_of(kRegisters, values));
  ASSERT_TRUE(proved) << to_string(proved.error());
  EXPECT_NE(proved->find(HashAlgorithm::kSha256, 10), nullptr);
  EXPECT_NE(proved->find(HashAlgorithm::kSha384, 7), nullptr);

  EXPECT_FALSE(attestation::verify({made.attest, made.signature}, ak, ExpectedNonce{Bytes(32)}));
  const Swtpm elsewhere;
  EXPECT_FALSE(attestation::verify({made.attest, made.signature}, ak_of(*open_on(elsewhere)),
                                   ExpectedNonce{to_bytes(nonce_.bytes())}));
  ASSERT_TRUE(extend_pcr(device->device(), ESYS_TR_PCR10));
  const Bytes later = must(device->read_registers(kRegisters));
  EXPECT_EQ(attestation::prove_registers(*quote, values_of(kRegisters, later)).error().code, "quote.pcr-digest");
}

// The qualified signer shows the hierarchy, whose quotes hide nothing: the counters are the TPM's own.
TEST_F(TpmAttestation, ShowsTheTrueCounters) {
  const auto resets = [&](TcbTpm& device) {
    const auto made = must(device.quote(kRegisters, nonce_));
    return must(tpm::QuoteAttest::parse(made.attest)).clock.reset_count;
  };
  auto device = open();
  const auto before = resets(*device);
  EXPECT_LT(before, 100U);
  device.reset();
  swtpm_.power_cut();
  device = open();
  EXPECT_EQ(resets(*device), before + 1);
}

TEST_F(TpmAttestation, HasANullPrimaryForEachBoot) {
  auto device = open();
  const auto certified = must(device->certify_null_primary(nonce_));
  ASSERT_TRUE(certified);
  const auto read = must(read_certification(certified->certification.attest, certified->public_area));
  EXPECT_EQ(read.extra_data, to_bytes(nonce_.bytes()));
  const auto signature = must(tpm::parse_signature(certified->certification.signature));
  EXPECT_TRUE(ak_of(*device).verify(certified->certification.attest, signature));
  EXPECT_FALSE(ak_of(*device).verify(to_bytes(nonce_.bytes()), signature));

  const tpm::Name first = read.name;
  EXPECT_EQ(null_name(*device), first);
  device.reset();
  device = open();
  EXPECT_EQ(null_name(*device), first) << "another process of the same boot";
  device.reset();
  swtpm_.power_cut();  // for the TPM what a reset under a running system is
  device = open();
  EXPECT_NE(null_name(*device), first);
}

// What an initramfs asks for: no session, and so no EK that would have to be made.
TEST_F(TpmAttestation, SaysTheNameOfItsNullPrimaryAtTheStartOfABoot) {
  auto device = open();
  const tpm::Name certified = null_name(*device);
  device.reset();
  {
    // Salted to this Name no session can be made.
    const auto early = must(Device::open(connect(swtpm_), {.ek_name = certified}));
    EXPECT_EQ(must(tpm_device::null_primary_name(*early)), certified);
    EXPECT_EQ(must(tpm_device::null_primary_name(*early)), certified) << "its slot is free again";
    EXPECT_FALSE(early->ek());
  }
  swtpm_.power_cut();
  const auto later = must(Device::open(connect(swtpm_), {}));
  EXPECT_NE(must(tpm_device::null_primary_name(*later)), certified);
}

}  // namespace
}  // namespace warifu::test
