#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "tpm_device/device.h"

// The two NV indices of the trust bundle's anchor (tcb/anchor_nv.h). Whether one is there is asked by
// TPM2_GetCapability, whose answer is authenticated: an error that somebody forged on the bus would be no proof that it
// is not.
namespace warifu::tpm_device {

// Of those that are for the owner (TCG Registry of Reserved TPM 2.0 Handles and Localities, 2.2.2).
inline constexpr std::uint32_t kAnchorIndex = 0x01805752;         // "WR"
inline constexpr std::uint32_t kAnchorCounterIndex = 0x01805753;  // and the next

// nullopt when it is not there, or was never written. kConflict "tpm.nv.type" when somebody else has the index; else
// the errors of nv.h.
Result<std::optional<Bytes>> read_anchor(Device& device);
Result<std::optional<std::uint64_t>> read_anchor_counter(Device& device);
// Make the index where there is none: that needs the owner's auth.
Status write_anchor(Device& device, ByteView anchor);
Status define_anchor_counter(Device& device);

}  // namespace warifu::tpm_device
