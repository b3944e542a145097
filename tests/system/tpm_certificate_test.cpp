// The keys of a device's certificates on swtpm, judged by the server's half.
#include <gtest/gtest.h>

#include "attestation/quote/ak_public.h"
#include "crypto/digest_signature.h"
#include "crypto/ec.h"
#include "crypto/signer.h"
#include "device_tpm.h"
#include "tpm_device/certified_keys.h"
#include "tpm_device/device_identity.h"
#include "tpm_types/attest.h"
#include "tpm_types/signature.h"
#include "wire/reader.h"

namespace warifu::test {
namespace {

constexpr std::uint16_t kAttestCertify = 0x8017;
constexpr std::uint16_t kAttestCreation = 0x801A;

// What TPM2_Certify and TPM2_CertifyCreation say (Part 2, "TPMS_ATTEST"): whose Name comes first in both.
struct Said {
  std::uint16_t type;
  Bytes extra_data;
  Bytes name;
  Bytes second;  // the qualified Name, or the hash of the creation data
};
Result<Said> read_attest(ByteView attest) {
  wire::Reader reader(attest);
  TRY(const auto magic, reader.u32("magic"));
  if (magic != 0xff544347) return invalid_input("test", "not the TPM's");
  TRY(const auto type, reader.u16("type"));
  TRY_STATUS(reader.sized16("qualifiedSigner"));
  TRY(const auto extra, reader.sized16("extraData"));
  TRY_STATUS(reader.bytes(17 + 8, "clockInfo, firmwareVersion"));
  TRY(const auto name, reader.sized16("name"));
  TRY(const auto second, reader.sized16("second"));
  TRY_STATUS(reader.expect_done("attest"));
  return Said{type, to_bytes(extra), to_bytes(name), to_bytes(second)};
}

class TpmCertificates : public TpmDevice {
 protected:
  static Bytes name_of(ByteView public_area) {
    return to_bytes(must(tpm::PublicArea::from_tpm2b(public_area)).name().bytes());
  }
  static Status verify_by_ak(TcbTpm& device, const tcb::TpmAttestation& made) {
    const auto ak = must(attestation::AkPublic::from_tpm_public(must(device.attestation_key())));
    TRY(const auto signature, tpm::parse_signature(made.signature));
    return ak.verify(made.attest, signature);
  }
  static crypto::PublicKey public_key(ByteView public_area) {
    const auto area = must(tpm::PublicArea::from_tpm2b(public_area));
    const auto point = must(crypto::EcPublicKey::from_affine(crypto::EcCurve::kP256, area.unique(), area.unique_y()));
    return crypto::Signer::outside(point, nullptr).public_key();
  }

  const crypto::Digest nonce_ = sha256("the server's nonce");
};

TEST_F(TpmCertificates, AreForAKeyThatTheAkCertifies) {
  const auto device = open();
  const auto key = must(device->create_ldevid());
  const auto area = must(tpm::PublicArea::from_tpm2b(key.public_area));
  EXPECT_TRUE(area.attributes().has_all(tpm::kFixedTpm | tpm::kFixedParent | tpm::kSensitiveDataOrigin | tpm::kSign |
                                        tpm::kNoDa));
  EXPECT_FALSE(area.attributes().has_any(tpm::kRestricted | tpm::kDecrypt));
  const auto made = must(device->certify(key, nonce_));
  EXPECT_TRUE(verify_by_ak(*device, made));
  const auto said = must(read_attest(made.attest));
  EXPECT_EQ(said.type, kAttestCertify);
  EXPECT_EQ(said.extra_data, to_bytes(nonce_.bytes()));
  EXPECT_EQ(to_hex(said.name), to_hex(name_of(key.public_area)));
  EXPECT_NE(must(device->create_ldevid()).public_area, key.public_area);
}

TEST_F(TpmCertificates, AreForAnIDevIdThatTheTpmMade) {
  const auto device = open();
  const auto made = must(device->certify_idevid(nonce_));
  EXPECT_EQ(to_hex(must(device->idevid())), to_hex(made.public_area));
  EXPECT_TRUE(verify_by_ak(*device, made.certification));
  const auto said = must(read_attest(made.certification.attest));
  EXPECT_EQ(said.type, kAttestCreation);
  EXPECT_EQ(said.extra_data, to_bytes(nonce_.bytes()));
  EXPECT_EQ(to_hex(said.name), to_hex(name_of(made.public_area)));
  EXPECT_EQ(to_hex(said.second), to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {made.creation_data}).bytes()));
  EXPECT_TRUE(must(tpm::CreationData::parse(made.creation_data)).is_under(tpm::kEndorsementHierarchy));
}

TEST_F(TpmCertificates, SignADigestAsTheCurveWantsIt) {
  const auto device = open();
  const auto key = must(device->create_ldevid());
  const auto signature = must(device->sign(key, sha256("a handshake")));
  const auto parsed = must(tpm::parse_signature(signature));
  const auto& ecdsa = std::get<tpm::EcdsaSignature>(parsed);
  EXPECT_EQ(ecdsa.hash, crypto::HashAlgorithm::kSha256);
  const auto der = crypto::ecdsa_der(ecdsa.r, ecdsa.s);
  EXPECT_TRUE(public_key(key.public_area).verify(as_bytes("a handshake"), der));
  EXPECT_FALSE(public_key(key.public_area).verify(as_bytes("another"), der));
}

TEST_F(TpmCertificates, EndWithTheSrkButForTheIDevIds) {
  auto device = open();
  const auto key = must(device->create_ldevid());
  const Bytes idevid = must(device->idevid());
  EXPECT_TRUE(device->open_key(key));
  ASSERT_TRUE(clear(device->device()));
  expect_error(device->open_key(key), ErrorKind::kRefused, "tpm.key.dead");
  expect_error(device->sign(key, nonce_), ErrorKind::kRefused, "tpm.key.dead");
  expect_error(device->certify(key, nonce_), ErrorKind::kRefused, "tpm.key.dead");
  EXPECT_EQ(to_hex(must(device->idevid())), to_hex(idevid));
  EXPECT_TRUE(device->certify_idevid(nonce_));
}

// The keys have noDA: what power cuts do to them counts for nothing.
TEST_F(TpmCertificates, OutlivePowerCuts) {
  auto device = open();
  const auto key = must(device->create_ldevid());
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(device->sign(key, nonce_)) << i;
    device.reset();
    swtpm_.power_cut();
    device = open();
  }
  EXPECT_TRUE(device->sign(key, nonce_));
  const Swtpm elsewhere;
  expect_error(open_on(elsewhere)->open_key(key), ErrorKind::kRefused, "tpm.key.dead");
}

}  // namespace
}  // namespace warifu::test
