#include "tpm_types/signature.h"

#include <fmt/format.h>

#include "tpm_types/algorithm.h"
#include "wire/reader.h"

namespace warifu::tpm {
namespace {

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kSequence = 0x30;

Error not_der(std::string message, std::string_view field, std::size_t offset) {
  return invalid_input("tpm.signature.der", std::move(message), wire::place(field, offset));
}

// The content of an element. The two numbers of P-521 would still fit into lengths of one byte after 0x81.
Result<ByteView> element(wire::Reader& reader, std::uint8_t tag, std::string_view field) {
  TRY(const std::uint8_t found, reader.u8(field));
  if (found != tag)
    return not_der(fmt::format("expected the tag {:#04x}, {:#04x} came", tag, found), field, reader.offset() - 1);
  TRY(std::uint8_t length, reader.u8(field));
  if (length == 0x81) {
    TRY(length, reader.u8(field));
    if (length < 0x80) return not_der("expected the short form of the length", field, reader.offset() - 1);
  } else if (length >= 0x80) {
    return not_der("expected a length below 256", field, reader.offset() - 1);
  }
  return reader.bytes(length, field);
}

// A positive INTEGER in its only form, without the zero that keeps it positive.
Result<ByteView> positive(wire::Reader& reader, std::string_view field) {
  TRY(const ByteView value, element(reader, kInteger, field));
  const std::size_t offset = reader.offset() - value.size();
  if (value.empty() || value[0] >= 0x80) return not_der("expected a positive INTEGER", field, offset);
  if (value[0] != 0) return value;
  if (value.size() == 1 || value[1] < 0x80) return not_der("expected no leading zero", field, offset);
  return value.subspan(1);
}

}  // namespace

Result<Signature> parse_signature(ByteView bytes) {
  wire::Reader reader(bytes);
  TRY(const std::uint16_t id, reader.u16("sigAlg"));
  const auto scheme = static_cast<AlgorithmId>(id);
  if (scheme != AlgorithmId::kRsaSsa && scheme != AlgorithmId::kRsaPss && scheme != AlgorithmId::kEcdsa) {
    return invalid_input("tpm.signature.scheme",
                         fmt::format("expected RSASSA, RSAPSS or ECDSA, {} came", to_hex_id(id)),
                         wire::place("sigAlg", 0));
  }
  TRY(const std::uint16_t hash_id, reader.u16("hash"));
  TRY(const crypto::HashAlgorithm hash, parse_hash(hash_id, wire::place("hash", 2)));
  if (scheme == AlgorithmId::kEcdsa) {
    TRY(const ByteView r, reader.sized16("signatureR"));
    TRY(const ByteView s, reader.sized16("signatureS"));
    TRY_STATUS(reader.expect_done("TPMT_SIGNATURE"));
    return Signature(EcdsaSignature{hash, r, s});
  }
  TRY(const ByteView value, reader.sized16("sig"));
  TRY_STATUS(reader.expect_done("TPMT_SIGNATURE"));
  return Signature(RsaSignature{scheme == AlgorithmId::kRsaSsa ? RsaScheme::kRsaSsa : RsaScheme::kRsaPss, hash, value});
}

bool is_tpmt_signature(ByteView bytes) {
  if (bytes.size() < 2 || bytes[0] != 0) return false;
  const auto id = static_cast<AlgorithmId>(bytes[1]);
  return id == AlgorithmId::kRsaSsa || id == AlgorithmId::kRsaPss || id == AlgorithmId::kEcdsa;
}

Result<EcdsaNumbers> parse_ecdsa_der(ByteView der) {
  wire::Reader outer(der);
  TRY(const ByteView both, element(outer, kSequence, "Ecdsa-Sig-Value"));
  TRY_STATUS(outer.expect_done("Ecdsa-Sig-Value"));
  wire::Reader reader(both);
  EcdsaNumbers numbers;
  TRY(numbers.r, positive(reader, "r"));
  TRY(numbers.s, positive(reader, "s"));
  TRY_STATUS(reader.expect_done("Ecdsa-Sig-Value"));
  return numbers;
}

}  // namespace warifu::tpm
