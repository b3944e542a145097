#include "tpm_types/algorithm.h"

#include <fmt/format.h>

#include <cstdlib>

namespace warifu::tpm {

AlgorithmId algorithm_of(crypto::HashAlgorithm hash) {
  switch (hash) {
    case crypto::HashAlgorithm::kSha1:
      return AlgorithmId::kSha1;
    case crypto::HashAlgorithm::kSha256:
      return AlgorithmId::kSha256;
    case crypto::HashAlgorithm::kSha384:
      return AlgorithmId::kSha384;
    case crypto::HashAlgorithm::kSha512:
      return AlgorithmId::kSha512;
    case crypto::HashAlgorithm::kSm3:
      return AlgorithmId::kSm3Of256;
  }
  std::abort();
}

std::uint16_t curve_id_of(crypto::EcCurve curve) {
  return curve == crypto::EcCurve::kP256 ? kEccNistP256 : kEccNistP384;
}

Result<crypto::HashAlgorithm> parse_hash(std::uint16_t id, std::string where) {
  switch (static_cast<AlgorithmId>(id)) {
    case AlgorithmId::kSha1:
      return crypto::HashAlgorithm::kSha1;
    case AlgorithmId::kSha256:
      return crypto::HashAlgorithm::kSha256;
    case AlgorithmId::kSha384:
      return crypto::HashAlgorithm::kSha384;
    case AlgorithmId::kSha512:
      return crypto::HashAlgorithm::kSha512;
    default:
      return invalid_input("tpm.algorithm.hash",
                           fmt::format("expected SHA-1, SHA-256, SHA-384 or SHA-512, {} came", to_hex_id(id)),
                           std::move(where));
  }
}

Result<crypto::EcCurve> parse_curve(std::uint16_t id, std::string where) {
  if (id == kEccNistP256) return crypto::EcCurve::kP256;
  if (id == kEccNistP384) return crypto::EcCurve::kP384;
  return invalid_input("tpm.algorithm.curve", fmt::format("expected NIST P-256 or P-384, curve {} came", to_hex_id(id)),
                       std::move(where));
}

std::string to_hex_id(std::uint16_t id) {
  return fmt::format("0x{:04x}", id);
}

}  // namespace warifu::tpm
