#include "tpm_device/handles.h"

#include <utility>

#include "tpm_device/device.h"

namespace warifu::tpm_device {

Handle::Handle(Device& device, ESYS_TR handle, Kind kind)
    : device_(&device), handle_(handle), kind_(kind), epoch_(device.epoch()) {
}

Handle::Handle(Handle&& other) noexcept
    : device_(other.device_),
      handle_(std::exchange(other.handle_, ESYS_TR_NONE)),
      kind_(other.kind_),
      epoch_(other.epoch_) {
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = other.device_;
  handle_ = std::exchange(other.handle_, ESYS_TR_NONE);
  kind_ = other.kind_;
  epoch_ = other.epoch_;
  return *this;
}

void Handle::release() {
  const ESYS_TR handle = std::exchange(handle_, ESYS_TR_NONE);
  // With another context the number means something else; the guard has flushed what it stood for.
  if (handle == ESYS_TR_NONE || epoch_ != device_->epoch()) return;
  if (kind_ == Kind::kInSlot) {
    if (device_->check(Esys_FlushContext(device_->esys(), handle), "TPM2_FlushContext")) return;
    // Whatever is in that slot, it is not known by this handle. (No HMAC covers the handle in an answer.)
    device_->start_anew();
  }
  ESYS_TR number = handle;
  Esys_TR_Close(device_->esys(), &number);
}

}  // namespace warifu::tpm_device
