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

// TPM2B_PUBLIC of a key on P-256 that this template makes.
inline Bytes made_from(ByteView tpm2b_template) {
  const auto area = tpm::PublicArea::from_tpm2b(tpm2b_template).value();
  Bytes tpmt = to_bytes(area.tpmt());
  tpmt.resize(tpmt.size() - area.unique().size() - area.unique_y().size() - 4);
  const auto point = crypto::ec_public_key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key()).value();
  return wire::Writer().sized16(wire::Writer().bytes(tpmt).sized16(point.x()).sized16(point.y()).take()).take();
}

// TPMS_CREATION_DATA of an object under this parent, by its Name: that of a hierarchy is its handle.
inline Bytes creation_data_under(const Bytes& parent_name) {
  const std::uint16_t algorithm = parent_name.size() == 4 ? 0x0010 : 0x000b;
  wire::Writer out;
  out.u32(0).sized16(Bytes(32, 0x33)).u8(1).u16(algorithm).sized16(parent_name).sized16(parent_name).sized16({});
  return out.take();
}

struct ProofFields {
  std::uint16_t type = 0x8017;  // TPM_ST_ATTEST_CERTIFY
  Bytes extra_data = Bytes(32, 0xA5);
  std::optional<Bytes> name = {};  // that of the public area
  // Of TPM_ST_ATTEST_CREATION: a primary of the endorsement hierarchy.
  Bytes creation_data = creation_data_under({0x40, 0, 0, 0x0b});
};

inline KeyProof prove(const SoftwareAk& ak, const Bytes& public_area, const ProofFields& fields = {}) {
  const auto area = tpm::PublicArea::from_tpm2b(public_area);
  const Bytes name = fields.name ? *fields.name : to_bytes(area.value().name().bytes());
  const bool is_creation = fields.type == 0x801a;
  const auto creation_hash = crypto::digest(crypto::HashAlgorithm::kSha256, {fields.creation_data});
  wire::Writer out;
  out.u32(0xff544347).u16(fields.type).sized16(Bytes(34, 0x11)).sized16(fields.extra_data);
  out.u64(1000).u32(3).u32(1).u8(1).u64(0x2019).sized16(name);
  out.sized16(is_creation ? to_bytes(creation_hash.bytes()) : Bytes(32, 0x22));
  const Bytes attest = out.take();
  return {is_creation ? KeyEvidence::kCreation : KeyEvidence::kCertify, public_area, attest, ak.sign(attest),
          is_creation ? fields.creation_data : Bytes()};
}

}  // namespace warifu::attestation
