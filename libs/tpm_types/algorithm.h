#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/ec.h"

// Names and values of TPM 2.0 Part 2 ("Structures"), revision 1.59.
namespace warifu::tpm {

// TPM_ALG_ID (Part 2, 6.3): those that we understand.
enum class AlgorithmId : std::uint16_t {
  kRsa = 0x0001,
  kSha1 = 0x0004,
  kHmac = 0x0005,
  kAes = 0x0006,
  kKeyedHash = 0x0008,
  kSha256 = 0x000B,
  kSha384 = 0x000C,
  kSha512 = 0x000D,
  kNull = 0x0010,
  kSm3Of256 = 0x0012,
  kRsaSsa = 0x0014,
  kRsaEs = 0x0015,
  kRsaPss = 0x0016,
  kOaep = 0x0017,
  kEcdsa = 0x0018,
  kEcdh = 0x0019,
  kKdf1Sp80056A = 0x0020,
  kKdf1Sp800108 = 0x0022,
  kEcc = 0x0023,
  kCfb = 0x0043,
};
// As it stands in a structure.
constexpr std::uint16_t id_of(AlgorithmId algorithm) {
  return static_cast<std::uint16_t>(algorithm);
}

// What an exponent of 0 means (Part 2, 12.2.3.5).
inline constexpr std::uint32_t kDefaultExponent = 65537;

// TPM_ECC_CURVE (Part 2, 6.4).
inline constexpr std::uint16_t kEccNistP256 = 0x0003;
inline constexpr std::uint16_t kEccNistP384 = 0x0004;

AlgorithmId algorithm_of(crypto::HashAlgorithm hash);
std::uint16_t curve_id_of(crypto::EcCurve curve);

// "tpm.algorithm.hash" and "tpm.algorithm.curve" when it is none that we take for a key; `where` goes into the error.
Result<crypto::HashAlgorithm> parse_hash(std::uint16_t id, std::string where);
Result<crypto::EcCurve> parse_curve(std::uint16_t id, std::string where);

// "0x000b", for messages.
std::string to_hex_id(std::uint16_t id);

}  // namespace warifu::tpm
