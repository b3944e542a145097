#pragma once

#include <array>
#include <string>

#include "crypto/digest.h"
#include "measured_boot/registers.h"

// How findings name registers, and in which order banks are looked at.
namespace warifu::attestation {

inline constexpr std::array kStrongestFirst = {crypto::HashAlgorithm::kSha512, crypto::HashAlgorithm::kSha384,
                                               crypto::HashAlgorithm::kSha256, crypto::HashAlgorithm::kSm3,
                                               crypto::HashAlgorithm::kSha1};

// "sha256:7"
std::string place(crypto::HashAlgorithm bank, measured_boot::RegisterIndex index);
std::string place(const measured_boot::Bank& bank, measured_boot::RegisterIndex index);
// Empty for nullptr.
std::string hex_of(const crypto::Digest* digest);

}  // namespace warifu::attestation
