#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/digest.h"

namespace warifu::measured_boot {

// Of a TPM: PCR 0 to 23. Of Intel TDX (CCEL): 0 is MRTD, 1 to 4 are RTMR0 to RTMR3.
using RegisterIndex = std::uint32_t;
inline constexpr RegisterIndex kRegisters = 24;         // PCR 0 to 23 of a PC Client TPM
inline constexpr RegisterIndex kFirmwareRegisters = 8;  // PCR 0 to 7 (PFP 1.06, "PCR Usage")
enum class RegisterKind : std::uint8_t { kPcr, kRtmr };

// "sha256", "sm3_256": banks as tpm2-tools and the kernel call them. nullopt: no bank that we know.
std::string_view bank_name(crypto::HashAlgorithm bank);
std::optional<crypto::HashAlgorithm> parse_bank_name(std::string_view name);
// TPM_ALG_ID (TPM 2.0 Part 2, 6.3) of a bank.
std::optional<crypto::HashAlgorithm> bank_of(std::uint16_t algorithm_id);

// H(value ‖ digest) (TPM 2.0 Part 1, "Modifying a PCR": extend).
crypto::Digest extended(const crypto::Digest& value, ByteView digest);

// The registers of one bank whose values are known.
class Bank {
 public:
  using Register = std::pair<RegisterIndex, crypto::Digest>;

  explicit Bank(crypto::HashAlgorithm algorithm) : algorithm_(algorithm) {}
  crypto::HashAlgorithm algorithm() const { return algorithm_; }
  const crypto::Digest* find(RegisterIndex index) const;
  // The digest is of this bank's algorithm.
  void set(RegisterIndex index, const crypto::Digest& value);
  // In rising order.
  const std::vector<Register>& registers() const { return registers_; }

  friend bool operator==(const Bank&, const Bank&) = default;

 private:
  crypto::HashAlgorithm algorithm_;
  std::vector<Register> registers_;
};

// Of one machine, or what a log says of it.
class RegisterValues {
 public:
  const Bank* find(crypto::HashAlgorithm algorithm) const;
  const crypto::Digest* find(crypto::HashAlgorithm algorithm, RegisterIndex index) const;
  // Made empty if it is not there.
  Bank& bank(crypto::HashAlgorithm algorithm);
  // In the order in which they were made.
  const std::vector<Bank>& banks() const { return banks_; }

  friend bool operator==(const RegisterValues&, const RegisterValues&) = default;

 private:
  std::vector<Bank> banks_;
};

}  // namespace warifu::measured_boot
