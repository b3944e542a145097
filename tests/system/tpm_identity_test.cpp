// IDevID, IAK and the owner's keys, certified by the TPM. OpenSSL is the judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tss2/tss2_mu.h>

#include "crypto/public_key.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/keys.h"
#include "tpm_device/marshal.h"
#include "tpm_test.h"
#include "wire/writer.h"

namespace warifu::test {
namespace {

using tpm_device::Handle;

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
  auto lie = tpm_device::NewPrimary{iak().handle, idevid.public_area, idevid.creation_data, idevid.creation_hash,
                                    idevid.ticket};
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
