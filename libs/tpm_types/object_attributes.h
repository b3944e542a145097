#pragma once

#include <cstdint>
#include <string>

namespace warifu::tpm {

// TPMA_OBJECT (Part 2, 8.3).
enum ObjectAttribute : std::uint32_t {
  kFixedTpm = 1u << 1,
  kStClear = 1u << 2,
  kFixedParent = 1u << 4,
  kSensitiveDataOrigin = 1u << 5,
  kUserWithAuth = 1u << 6,
  kAdminWithPolicy = 1u << 7,
  kNoDa = 1u << 10,
  kEncryptedDuplication = 1u << 11,
  kRestricted = 1u << 16,
  kDecrypt = 1u << 17,
  kSign = 1u << 18,
  kX509Sign = 1u << 19,
};

class ObjectAttributes {
 public:
  constexpr explicit ObjectAttributes(std::uint32_t bits) : bits_(bits) {}

  constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool has_all(std::uint32_t wanted) const { return (bits_ & wanted) == wanted; }
  constexpr bool has_any(std::uint32_t wanted) const { return (bits_ & wanted) != 0; }
  friend constexpr bool operator==(ObjectAttributes, ObjectAttributes) = default;

 private:
  std::uint32_t bits_;
};

// "0x000300b2", for messages.
std::string to_string(ObjectAttributes attributes);

}  // namespace warifu::tpm
