#pragma once

#include <filesystem>

#include "attestation/quote/quote.h"
#include "crypto/digest.h"
#include "crypto/ec.h"
#include "crypto/private_key.h"
#include "crypto/rsa.h"
#include "tpm_types/attest.h"
#include "wire/writer.h"

// Quotes for tests, field by field so that one can be wrong, and software keys to sign them.
namespace warifu::attestation {

inline constexpr std::uint32_t kAkAttributes = 0x00050072;  // as the TCG's AK templates have it

struct QuoteFields {
  std::uint32_t magic = 0xff544347;
  std::uint16_t type = 0x8018;
  Bytes signer = wire::Writer().u16(0x000B).bytes(Bytes(32, 0x11)).take();
  Bytes nonce = Bytes(20, 0xA5);
  tpm::ClockInfo clock = {.clock_ms = 1000, .reset_count = 3, .restart_count = 1, .safe = true};
  std::uint64_t firmware = 0x2019;
  tpm::PcrSelections selections = {};
  Bytes digest = Bytes(32);
};

inline Bytes attest_of(const QuoteFields& f) {
  wire::Writer out;
  out.u32(f.magic).u16(f.type).sized16(f.signer).sized16(f.nonce);
  out.u64(f.clock.clock_ms).u32(f.clock.reset_count).u32(f.clock.restart_count).u8(f.clock.safe ? 1 : 0);
  out.u64(f.firmware).u32(static_cast<std::uint32_t>(f.selections.size()));
  for (const auto& selection : f.selections) {
    out.u16(selection.bank_id).u8(3);
    for (const int shift : {0, 8, 16})
      out.u8(static_cast<std::uint8_t>(selection.indices >> shift));
  }
  return out.sized16(f.digest).take();
}

inline tpm::PcrSelection selected(crypto::HashAlgorithm bank, std::initializer_list<unsigned> indices) {
  tpm::PcrSelection selection{.bank_id = static_cast<std::uint16_t>(tpm::algorithm_of(bank)), .bank = bank};
  for (const unsigned index : indices)
    selection.indices |= 1u << index;
  return selection;
}

// Values that differ in each register.
inline measured_boot::RegisterValues some_values(std::initializer_list<crypto::HashAlgorithm> banks) {
  measured_boot::RegisterValues values;
  for (const auto bank : banks)
    for (std::uint8_t index = 0; index < 24; ++index)
      values.bank(bank).set(index, crypto::digest(bank, {Bytes{index}}));
  return values;
}

// A signing key in memory, and its public area as a TPM would show it.
struct SoftwareAk {
  crypto::PrivateKey key;
  bool is_rsa;
  crypto::HashAlgorithm hash;  // by which PrivateKey::sign() signs

  static SoftwareAk of(crypto::KeyKind kind) {
    const bool is_rsa = kind == crypto::KeyKind::kRsa2048 || kind == crypto::KeyKind::kRsa3072;
    const auto hash =
        kind == crypto::KeyKind::kEcP384 ? crypto::HashAlgorithm::kSha384 : crypto::HashAlgorithm::kSha256;
    return {crypto::PrivateKey::generate(kind), is_rsa, hash};
  }

  // TPMT_PUBLIC. `scheme` and `scheme_hash`: TPM_ALG_ID.
  Bytes tpmt(std::uint32_t attributes, std::uint16_t scheme, std::uint16_t scheme_hash,
             std::uint16_t name_algorithm = 0x000B) const {
    wire::Writer out;
    out.u16(is_rsa ? 0x0001 : 0x0023).u16(name_algorithm).u32(attributes).sized16({}).u16(0x0010).u16(scheme);
    if (scheme != 0x0010) out.u16(scheme_hash);
    if (is_rsa) {
      const auto numbers = crypto::rsa_public_key(key).value();
      return out.u16(static_cast<std::uint16_t>(numbers.modulus().size() * 8)).u32(0).sized16(numbers.modulus()).take();
    }
    const auto pair = crypto::EcKeyPair::from_private_key(key).value();
    const auto& point = pair.public_key();
    return out.u16(tpm::curve_id_of(point.curve())).u16(0x0010).sized16(point.x()).sized16(point.y()).take();
  }
  std::uint16_t scheme_id() const { return is_rsa ? 0x0014 : 0x0018; }
  Bytes tpmt(std::uint32_t attributes = kAkAttributes) const {
    return tpmt(attributes, scheme_id(), static_cast<std::uint16_t>(tpm::algorithm_of(hash)));
  }
  AkPublic ak() const { return AkPublic::from_tpm_public(tpmt()).value(); }

  // TPMT_SIGNATURE; `scheme` and `hash_id` may lie.
  Bytes sign(ByteView message, std::uint16_t scheme, std::uint16_t hash_id) const {
    const Bytes plain = key.sign(message);
    wire::Writer out;
    out.u16(scheme).u16(hash_id);
    if (is_rsa) return out.sized16(plain).take();
    const auto numbers = tpm::parse_ecdsa_der(plain).value();
    return out.sized16(numbers.r).sized16(numbers.s).take();
  }
  Bytes sign(ByteView message) const {
    return sign(message, scheme_id(), static_cast<std::uint16_t>(tpm::algorithm_of(hash)));
  }
};

// Selections in their order, and the digest that a TPM would make of the values.
inline QuoteFields fields_of(const measured_boot::RegisterValues& values, tpm::PcrSelections selections,
                             crypto::HashAlgorithm hash) {
  Bytes hashed;
  for (const auto& selection : selections)
    for (std::uint32_t index = 0; index < 24; ++index) {
      if (!selection.has(index)) continue;
      const ByteView value = values.find(*selection.bank, index)->bytes();
      hashed.insert(hashed.end(), value.begin(), value.end());
    }
  QuoteFields fields;
  fields.selections = std::move(selections);
  fields.digest = to_bytes(crypto::digest(hash, {hashed}).bytes());
  return fields;
}

}  // namespace warifu::attestation
