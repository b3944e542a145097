#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "tpm_types/name.h"

namespace warifu::tpm {

// TPMA_NV (Part 2, 13.4). Bits 4 to 7 are the type, TPM_NT.
enum NvAttribute : std::uint32_t {
  kNvPpWrite = 1u << 0,
  kNvOwnerWrite = 1u << 1,
  kNvAuthWrite = 1u << 2,
  kNvPolicyWrite = 1u << 3,
  kNvCounter = 1u << 4,
  kNvBits = 2u << 4,
  kNvExtend = 4u << 4,
  kNvPolicyDelete = 1u << 10,
  kNvWriteLocked = 1u << 11,
  kNvWriteAll = 1u << 12,
  kNvWriteDefine = 1u << 13,
  kNvWriteStClear = 1u << 14,
  kNvPpRead = 1u << 16,
  kNvOwnerRead = 1u << 17,
  kNvAuthRead = 1u << 18,
  kNvPolicyRead = 1u << 19,
  kNvNoDa = 1u << 25,
  kNvOrderly = 1u << 26,
  kNvReadLocked = 1u << 28,
  kNvWritten = 1u << 29,
  kNvPlatformCreate = 1u << 30,
  kNvReadStClear = 1u << 31,
};
inline constexpr std::uint32_t kNvTypeMask = 0xF0;

// TPMS_NV_PUBLIC (Part 2, 13.5).
struct NvPublic {
  std::uint32_t index = 0;
  crypto::HashAlgorithm name_algorithm = crypto::HashAlgorithm::kSha256;
  std::uint32_t attributes = 0;
  Bytes auth_policy = {};
  std::uint16_t data_size = 0;  // bytes

  // The bare structure. "wire.truncated", "wire.trailing", "tpm.algorithm.hash", "tpm.nv.auth-policy".
  static Result<NvPublic> parse(ByteView tpms_nv_public);
  Bytes tpms() const;
  // Part 1, "Names": it covers the attributes, so it changes with the first write (TPMA_NV_WRITTEN).
  Name name() const { return Name::of(name_algorithm, tpms()); }

  friend bool operator==(const NvPublic&, const NvPublic&) = default;
};

}  // namespace warifu::tpm
