#include "tpm_device/anchor.h"

#include <fmt/format.h>

#include "tcb/anchor_nv.h"
#include "tpm_device/capability.h"
#include "tpm_device/nv.h"

namespace warifu::tpm_device {
namespace {

// Written by the owner only, read without any auth value: an owner's auth that is lost must not make a device forget.
// Without noDA a power cut would count as a wrong try.
constexpr std::uint32_t kAttributes = tpm::kNvOwnerWrite | tpm::kNvAuthRead | tpm::kNvNoDa;

tpm::NvPublic anchor_area() {
  return {.index = kAnchorIndex, .attributes = kAttributes, .data_size = tcb::AnchorNv::kAnchorSize};
}

tpm::NvPublic counter_area() {
  return {.index = kAnchorCounterIndex, .attributes = kAttributes | tpm::kNvCounter, .data_size = 8};
}

enum class Presence { kAbsent, kUnwritten, kWritten };

Result<Presence> look_for(Device& device, const tpm::NvPublic& wanted) {
  TRY(const auto handles, read_handles(device, wanted.index, wanted.index));
  if (handles.empty()) return Presence::kAbsent;
  TRY(auto found, read_nv_public(device, wanted.index));
  const bool is_written = (found.attributes & tpm::kNvWritten) != 0;
  found.attributes &= ~static_cast<std::uint32_t>(tpm::kNvWritten);
  if (found == wanted) return is_written ? Presence::kWritten : Presence::kUnwritten;
  return Error{
      ErrorKind::kConflict, "tpm.nv.type",
      fmt::format("NV index 0x{:08x}, where this device remembers its trust bundle, is somebody else's", wanted.index)};
}

Status define_if_absent(Device& device, const tpm::NvPublic& area) {
  TRY(const auto presence, look_for(device, area));
  if (presence != Presence::kAbsent) return {};
  return define_nv(device, area);
}

}  // namespace

Result<std::optional<Bytes>> read_anchor(Device& device) {
  TRY(const auto presence, look_for(device, anchor_area()));
  if (presence != Presence::kWritten) return std::nullopt;
  TRY(const auto content, read_nv(device, kAnchorIndex));
  return to_bytes(content.reveal());
}

Result<std::optional<std::uint64_t>> read_anchor_counter(Device& device) {
  TRY(const auto presence, look_for(device, counter_area()));
  if (presence != Presence::kWritten) return std::nullopt;
  TRY(const auto value, read_nv_counter(device, kAnchorCounterIndex));
  return value;
}

Status write_anchor(Device& device, ByteView anchor) {
  TRY_STATUS(define_if_absent(device, anchor_area()));
  return write_nv(device, kAnchorIndex, SecretBytes::copy_of(anchor));
}

Status define_anchor_counter(Device& device) {
  return define_if_absent(device, counter_area());
}

}  // namespace warifu::tpm_device
