#pragma once

#include "base/bytes.h"
#include "crypto/ec.h"
#include "tpm_types/public_area.h"
#include "wire/writer.h"

// Public areas for the tests of this library, field by field so that one field can be wrong.
namespace warifu::tpm {

struct RsaFields {
  std::uint16_t type = 0x0001;
  std::uint16_t name_algorithm = 0x000B;
  std::uint32_t attributes = 0x000300B2;
  Bytes policy = Bytes(32, 0x83);
  Bytes symmetric = {0x00, 0x06, 0x00, 0x80, 0x00, 0x43};
  Bytes scheme = {0x00, 0x10};
  std::uint16_t key_bits = 2048;
  std::uint32_t exponent = 0;
  Bytes modulus = Bytes(256, 0xC5);
};

inline RsaFields ek_fields() {
  return {};
}
inline RsaFields srk_fields() {
  return {.attributes = 0x00030472, .policy = {}};
}

inline Bytes tpmt_of(const RsaFields& f) {
  return wire::Writer()
      .u16(f.type)
      .u16(f.name_algorithm)
      .u32(f.attributes)
      .sized16(f.policy)
      .bytes(f.symmetric)
      .bytes(f.scheme)
      .u16(f.key_bits)
      .u32(f.exponent)
      .sized16(f.modulus)
      .take();
}

inline Bytes sized(ByteView tpmt) {
  return wire::Writer().sized16(tpmt).take();
}
inline Bytes tpm2b_of(const RsaFields& f) {
  return sized(tpmt_of(f));
}

struct EccFields {
  std::uint16_t name_algorithm = 0x000B;
  std::uint32_t attributes = 0x000300B2;
  Bytes policy = Bytes(32, 0x83);
  Bytes symmetric = {0x00, 0x06, 0x00, 0x80, 0x00, 0x43};
  Bytes scheme = {0x00, 0x10};
  std::uint16_t curve = 0x0003;
  Bytes kdf = {0x00, 0x10};
  Bytes x = {};
  Bytes y = {};
};

inline EccFields ecc_ek_fields(const crypto::EcPublicKey& key) {
  const bool p256 = key.curve() == crypto::EcCurve::kP256;
  return {.curve = static_cast<std::uint16_t>(p256 ? 0x0003 : 0x0004), .x = to_bytes(key.x()), .y = to_bytes(key.y())};
}
inline EccFields ecc_srk_fields(const crypto::EcPublicKey& key) {
  EccFields fields = ecc_ek_fields(key);
  fields.attributes = 0x00030472;
  fields.policy = {};
  return fields;
}

inline Bytes tpm2b_of(const EccFields& f) {
  return sized(wire::Writer()
                   .u16(0x0023)
                   .u16(f.name_algorithm)
                   .u32(f.attributes)
                   .sized16(f.policy)
                   .bytes(f.symmetric)
                   .bytes(f.scheme)
                   .u16(f.curve)
                   .bytes(f.kdf)
                   .sized16(f.x)
                   .sized16(f.y)
                   .take());
}
inline Bytes ecc_tpm2b(std::uint16_t curve, ByteView x, ByteView y, std::uint16_t name_algorithm = 0x000B) {
  return tpm2b_of(EccFields{.name_algorithm = name_algorithm,
                            .policy = Bytes(name_algorithm == 0x000C ? 48 : 32),
                            .curve = curve,
                            .x = to_bytes(x),
                            .y = to_bytes(y)});
}

}  // namespace warifu::tpm
