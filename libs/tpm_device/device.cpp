#include "tpm_device/device.h"

#include <fmt/format.h>
#include <tss2/tss2_rc.h>

#include <cstdlib>

#include "tpm_device/marshal.h"

namespace warifu::tpm_device {

namespace {

// Every refusal becomes an Error of ours; the library would print it as well. It reads this once, at its first message.
void silence_tss() {
  setenv("TSS2_LOG", "all+NONE", 0);
}

}  // namespace

Result<std::unique_ptr<Device>> Device::open(const TctiAddress& address, DeviceOptions options) {
  silence_tss();
  TRY(TctiPtr tcti, open_tcti(address));
  return open(std::move(tcti), std::move(options));
}

Result<std::unique_ptr<Device>> Device::open(TctiPtr tcti, DeviceOptions options) {
  std::unique_ptr<Device> device(new Device(std::move(tcti), std::move(options)));
  TRY_STATUS(device->start());
  return device;
}

Device::Device(TctiPtr tcti, DeviceOptions options)
    : options_(std::move(options)), guard_(std::move(tcti), options_.table) {
}

Device::~Device() {
  stop();
}

Status Device::start() {
  silence_tss();
  ++epoch_;
  broken_ = true;  // until it is known not to be
  const TSS2_RC rc = Esys_Initialize(&esys_, guard_.context(), nullptr);
  if (rc != TSS2_RC_SUCCESS) return error_of(rc, "Esys_Initialize");
  broken_ = false;
  TRY_STATUS(set_auth(ESYS_TR_RH_OWNER, options_.owner_auth));
  TRY_STATUS(set_auth(ESYS_TR_RH_ENDORSEMENT, options_.endorsement_auth));
  return set_auth(ESYS_TR_RH_LOCKOUT, lockout_auth_);
}

void Device::stop() {
  ++epoch_;  // from here on the handles' numbers mean nothing
  session_.reset();
  srk_.reset();
  guard_.flush_all();
  if (esys_ != nullptr) Esys_Finalize(&esys_);
}

Status Device::restart_if_broken() {
  if (!broken_) return {};
  stop();
  guard_.flush_lost();
  return start();
}

Status Device::check(TSS2_RC rc, std::string_view command) {
  if (rc == TSS2_RC_SUCCESS) return {};
  std::optional<Error> refusal = guard_.take_refusal();
  // After anything but a refusal by the TPM itself ESYS answers every call with "bad sequence".
  (is_from_tpm(rc) ? in_doubt_ : broken_) = true;
  if (refusal) return *std::move(refusal);
  Error error = error_of(rc, command);
  // Something of ours that nobody knows of fills the slots: what a killed process left, or an altered handle.
  if (error.code == kMemory) broken_ = true;
  return error;
}

bool Device::prepare_retry(const Error& error, bool in_doubt) {
  if (in_doubt && error.code == kNotAuthorized) {
    forget_session();
    return true;
  }
  if (error.code != kSessionLost && error.code != kNotStarted) return false;
  if (error.code == kNotStarted && !check(Esys_Startup(esys_, TPM2_SU_CLEAR), "TPM2_Startup")) return false;
  // After a reset its flush fails, and nothing has to be mended. If its handle was altered it is there under another.
  const bool broken = broken_;
  forget_session();
  guard_.flush_lost();
  broken_ = broken;
  return true;
}

void Device::keep_extended(std::uint8_t pcr, const crypto::Digest& digest) {
  kept_extended_.insert_or_assign(pcr, digest);
  must_look_at_kept_ = true;
}

void Device::forget() {
  session_.reset();
  srk_.reset();
}

Status Device::set_auth(ESYS_TR hierarchy, const SecretBytes& auth) {
  Wiped<TPM2B_AUTH> value;
  TRY_STATUS(fill(value.value, &TPM2B_AUTH::buffer, auth.reveal(), "auth value"));
  TRY_STATUS(check(Esys_TR_SetAuth(esys_, hierarchy, &value.value), "Esys_TR_SetAuth"));
  // Kept for the day on which ESYS has to be started anew.
  SecretBytes& kept = hierarchy == ESYS_TR_RH_OWNER         ? options_.owner_auth
                      : hierarchy == ESYS_TR_RH_ENDORSEMENT ? options_.endorsement_auth
                                                            : lockout_auth_;
  if (&kept != &auth) kept = auth.clone();
  return {};
}

}  // namespace warifu::tpm_device
