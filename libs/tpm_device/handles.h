#pragma once

#include <tss2/tss2_esys.h>

#include <cstdint>

namespace warifu::tpm_device {

class Device;

// Something in the TPM that this process holds. What is in a slot (transient object, session) is flushed when this
// goes, what stays in the TPM (persistent object, NV index) is only forgotten by ESYS. Must not outlive its Device.
class Handle {
 public:
  enum class Kind : std::uint8_t { kInSlot, kStays };
  Handle(Device& device, ESYS_TR handle, Kind kind);
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { release(); }

  ESYS_TR get() const { return handle_; }

 private:
  void release();

  Device* device_;
  ESYS_TR handle_;
  Kind kind_;
  std::uint64_t epoch_;  // of the ESYS context that the number belongs to
};

}  // namespace warifu::tpm_device
