#pragma once

#include <cstdint>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace warifu::tpm {

// TPMS_SIGNATURE_RSA (Part 2, 11.3.1). The value is a view into the input.
enum class RsaScheme : std::uint8_t { kRsaSsa, kRsaPss };
struct RsaSignature {
  RsaScheme scheme;
  crypto::HashAlgorithm hash;
  ByteView value;
};

// TPMS_SIGNATURE_ECC (Part 2, 11.3.2) of ECDSA. Big-endian views into the input, without demands on their length.
struct EcdsaSignature {
  crypto::HashAlgorithm hash;
  ByteView r;
  ByteView s;
};

// TPMT_SIGNATURE (Part 2, 11.3.4) of the schemes that attestation keys have here. Codes: "tpm.signature.scheme",
// "tpm.algorithm.hash", "wire.truncated", "wire.trailing".
using Signature = std::variant<RsaSignature, EcdsaSignature>;
Result<Signature> parse_signature(ByteView bytes);

// Whether the bytes begin with the TPM_ALG_ID of a signature scheme, as TPMT_SIGNATURE does.
bool is_tpmt_signature(ByteView bytes);

// r and s of an Ecdsa-Sig-Value (RFC 3279 §2.2.3): DER with no other form of the same numbers, and nothing after it.
// "tpm.signature.der".
struct EcdsaNumbers {
  ByteView r;
  ByteView s;
};
Result<EcdsaNumbers> parse_ecdsa_der(ByteView der);

}  // namespace warifu::tpm
