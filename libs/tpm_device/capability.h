#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/result.h"
#include "tpm_device/device.h"

// TPM2_GetCapability (Part 3, 30.2), every answer under the session's HMAC: decisions rest on it.
namespace warifu::tpm_device {

// TPM_PT (Part 2, 6.13): those that we ask for.
enum Property : std::uint32_t {
  kPtRevision = 0x102,
  kPtManufacturer = 0x105,
  kPtVendorString1 = 0x106,  // to 4
  kPtFirmwareVersion1 = 0x10B,
  kPtFirmwareVersion2 = 0x10C,
  kPtNvIndexMax = 0x117,
  kPtNvBufferMax = 0x12C,
  kPtPermanent = 0x200,     // TPMA_PERMANENT
  kPtStartupClear = 0x201,  // TPMA_STARTUP_CLEAR
  kPtLockoutCounter = 0x20E,
  kPtMaxAuthFail = 0x20F,
  kPtLockoutInterval = 0x210,
  kPtLockoutRecovery = 0x211,
};

// TPMA_PERMANENT (Part 2, 8.6).
enum PermanentAttribute : std::uint32_t {
  kOwnerAuthSet = 1u << 0,
  kEndorsementAuthSet = 1u << 1,
  kLockoutAuthSet = 1u << 2,
  kDisableClear = 1u << 8,
  kInLockout = 1u << 9,
};

// The properties from `first` to `last`, as far as the TPM has them.
Result<std::map<std::uint32_t, std::uint32_t>> read_properties(Device& device, std::uint32_t first, std::uint32_t last);
// kUnavailable "tpm.capability" when the TPM does not have it.
Result<std::uint32_t> read_property(Device& device, Property property);
// Whether the TPM has ECC keys on NIST P-256.
Result<bool> has_p256(Device& device);
// The handles from `first` to `last`, which are of one type (Part 2, 7.2): 0x01 NV indices, 0x81 persistent objects.
Result<std::vector<std::uint32_t>> read_handles(Device& device, std::uint32_t first, std::uint32_t last);

}  // namespace warifu::tpm_device
