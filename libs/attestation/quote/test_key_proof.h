#pragma once

#include "attestation/quote/key_proof.h"
#include "attestation/quote/test_quote.h"

// Proofs of keys for tests, as a TPM would make them, and such as it would not.
namespace warifu::attestation {

inline constexpr std::uint32_t kLdevidAttributes = 0x00040472;  // as tpm::ldevid_template() has them

// TPM2B_PUBLIC of a key that signs with its own scheme.
inline Bytes device_key_public(const SoftwareAk& key, std::uint32_t attributes = kLdevidAttributes) {
  return wire::Writer().sized16(key.tpmt(attributes)).take();
}

struct ProofFields {
  std::uint16_t type = 0x8017;  // TPM_ST_ATTEST_CERTIFY
  Bytes extra_data = Bytes(32, 0xA5);
  std::optional<Bytes> name = {};  // that of the public area
};

inline KeyProof prove(const SoftwareAk& ak, const Bytes& public_area, const ProofFields& fields = {}) {
  const auto area = tpm::PublicArea::from_tpm2b(public_area);
  const Bytes name = fields.name ? *fields.name : to_bytes(area.value().name().bytes());
  wire::Writer out;
  out.u32(0xff544347).u16(fields.type).sized16(Bytes(34, 0x11)).sized16(fields.extra_data);
  out.u64(1000).u32(3).u32(1).u8(1).u64(0x2019).sized16(name).sized16(Bytes(32, 0x22));
  const Bytes attest = out.take();
  return {fields.type == 0x801a ? KeyEvidence::kCreation : KeyEvidence::kCertify, public_area, attest, ak.sign(attest)};
}

}  // namespace warifu::attestation
