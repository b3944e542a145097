#include "tpm_types/verification_key.h"

#include <fmt/format.h>

#include "tpm_types/algorithm.h"
#include "tpm_types/object_attributes.h"
#include "wire/der.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tpm {
namespace {

using crypto::HashAlgorithm;

// A positive INTEGER without its leading zeros.
Result<ByteView> positive(wire::DerReader& reader, std::string_view field) {
  TRY(ByteView value, reader.integer(field));
  if (value[0] >= 0x80)
    return invalid_input("wire.der", "expected a positive INTEGER", wire::place(field, reader.offset()));
  while (value.size() > 1 && value[0] == 0)
    value = value.subspan(1);
  return value;
}

// The BIT STRING of a SubjectPublicKeyInfo.
Result<ByteView> key_bits(ByteView spki) {
  wire::DerReader outer(spki);
  TRY(wire::DerReader info, outer.enter(wire::der::kSequence, "SubjectPublicKeyInfo"));
  TRY_STATUS(info.element(wire::der::kSequence, "algorithm"));
  return info.whole_bytes("subjectPublicKey");
}

wire::Writer begin(AlgorithmId type, AlgorithmId scheme, HashAlgorithm hash) {
  wire::Writer out;
  out.u16(id_of(type)).u16(id_of(algorithm_of(hash))).u32(kUserWithAuth | kSign).sized16({});
  out.u16(id_of(AlgorithmId::kNull)).u16(id_of(scheme)).u16(id_of(algorithm_of(hash)));
  return out;
}

Bytes ecc_public(crypto::EcCurve curve, ByteView point) {
  const auto hash = curve == crypto::EcCurve::kP256 ? HashAlgorithm::kSha256 : HashAlgorithm::kSha384;
  const std::size_t size = crypto::coordinate_size(curve);
  wire::Writer out = begin(AlgorithmId::kEcc, AlgorithmId::kEcdsa, hash);
  out.u16(curve_id_of(curve)).u16(id_of(AlgorithmId::kNull));
  return out.sized16(point.subspan(1, size)).sized16(point.subspan(1 + size, size)).take();
}

struct RsaNumbers {
  ByteView modulus;
  std::uint32_t exponent = 0;
};
Result<RsaNumbers> rsa_numbers(ByteView bits) {
  wire::DerReader outer(bits);
  TRY(wire::DerReader reader, outer.enter(wire::der::kSequence, "RSAPublicKey"));
  RsaNumbers out;
  TRY(out.modulus, positive(reader, "modulus"));
  TRY(const ByteView exponent, positive(reader, "publicExponent"));
  if (exponent.size() > 4) return invalid_input("wire.der", "expected an exponent of 32 bits", "publicExponent");
  for (const std::uint8_t byte : exponent)
    out.exponent = out.exponent << 8 | byte;
  return out;
}

Bytes rsa_public(const RsaNumbers& numbers) {
  wire::Writer out = begin(AlgorithmId::kRsa, AlgorithmId::kRsaSsa, HashAlgorithm::kSha256);
  out.u16(static_cast<std::uint16_t>(numbers.modulus.size() * 8));
  return out.u32(numbers.exponent == kDefaultExponent ? 0 : numbers.exponent).sized16(numbers.modulus).take();
}

Error no_key() {
  return invalid_input("tpm.verification-key", "expected an EC P-256, EC P-384 or RSA public key of 2048 to 4096 bits");
}

Bytes tpm2b_of(ByteView tpmt) {
  return wire::Writer(tpmt.size() + 2).sized16(tpmt).take();
}

}  // namespace

Result<VerificationKey> VerificationKey::of(const crypto::PublicKey& key) {
  const Bytes spki = key.spki();
  const auto bits = key_bits(spki);
  if (!bits) return no_key();
  for (const auto curve : {crypto::EcCurve::kP256, crypto::EcCurve::kP384}) {
    const std::size_t size = crypto::coordinate_size(curve);
    // An uncompressed point (SEC 1, 2.3.3).
    if (bits->size() != 1 + 2 * size || bits->front() != 0x04) continue;
    const Bytes tpmt = ecc_public(curve, *bits);
    const auto hash = curve == crypto::EcCurve::kP256 ? HashAlgorithm::kSha256 : HashAlgorithm::kSha384;
    return VerificationKey(tpm2b_of(tpmt), Name::of(hash, tpmt), size, false);
  }
  const auto numbers = rsa_numbers(*bits);
  if (!numbers || numbers->modulus.size() < 256 || numbers->modulus.size() > 512) return no_key();
  const Bytes tpmt = rsa_public(*numbers);
  return VerificationKey(tpm2b_of(tpmt), Name::of(HashAlgorithm::kSha256, tpmt), numbers->modulus.size(), true);
}

Result<Bytes> VerificationKey::tpmt_signature(ByteView signature) const {
  const auto malformed = [](std::string message) { return invalid_input("tpm.signature", std::move(message)); };
  wire::Writer out;
  out.u16(id_of(is_rsa_ ? AlgorithmId::kRsaSsa : AlgorithmId::kEcdsa)).u16(id_of(algorithm_of(hash())));
  if (is_rsa_) {
    if (signature.size() != size_)
      return malformed(fmt::format("expected an RSA signature of {} bytes, {} came", size_, signature.size()));
    return out.sized16(signature).take();
  }
  wire::DerReader outer(signature);
  auto numbers = outer.enter(wire::der::kSequence, "Ecdsa-Sig-Value");
  if (!numbers || !outer.expect_done("Ecdsa-Sig-Value")) return malformed("expected one Ecdsa-Sig-Value");
  const auto r = positive(*numbers, "r");
  if (!r) return malformed("expected r");
  const auto s = positive(*numbers, "s");
  if (!s || !numbers->expect_done("s")) return malformed("expected s and nothing after it");
  if (r->size() > size_ || s->size() > size_) return malformed(fmt::format("expected numbers of {} bytes", size_));
  return out.sized16(*r).sized16(*s).take();
}

}  // namespace warifu::tpm
