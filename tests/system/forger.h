#pragma once

#include <algorithm>
#include <cstdint>

#include "tpm_device/tcti.h"
#include "tpm_test.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::test {

// What the macros of tss2_tcti.h do, which are C.
inline const TSS2_TCTI_CONTEXT_COMMON_V1& functions_of(const tpm_device::TctiPtr& tcti) {
  return *reinterpret_cast<const TSS2_TCTI_CONTEXT_COMMON_V1*>(tcti.get());
}

// Between a device and its TPM: lets every command pass and puts this error in the place of one answer.
class Forger {
 public:
  explicit Forger(tpm_device::TctiPtr tpm) : tpm_(std::move(tpm)) {
    context_.functions.version = 1;
    context_.functions.transmit = transmit;
    context_.functions.receive = receive;
    context_.self = this;
  }
  // The loader, which closes it, leaves alone what it has not opened.
  tpm_device::TctiPtr connect() { return tpm_device::TctiPtr(reinterpret_cast<TSS2_TCTI_CONTEXT*>(&context_)); }
  void forge(std::uint32_t command, std::uint32_t error) { command_ = command, error_ = error; }
  bool has_forged() const { return command_ == 0; }

 private:
  struct Context {
    TSS2_TCTI_CONTEXT_COMMON_V1 functions;
    Forger* self;
  };
  static Forger& of(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Context*>(context)->self; }
  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command) {
    Forger& self = of(context);
    self.sent_ = must(wire::Reader({command + 6, 4}).u32("commandCode"));
    return functions_of(self.tpm_).transmit(self.tpm_.get(), size, command);
  }
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t timeout) {
    Forger& self = of(context);
    const TSS2_RC rc = functions_of(self.tpm_).receive(self.tpm_.get(), size, response, timeout);
    if (rc != TSS2_RC_SUCCESS || self.sent_ != self.command_) return rc;
    const Bytes forged = wire::Writer().u16(0x8001).u32(10).u32(self.error_).take();
    std::ranges::copy(forged, response);
    *size = forged.size();
    self.command_ = 0;
    return rc;
  }

  tpm_device::TctiPtr tpm_;
  Context context_{};
  std::uint32_t sent_ = 0;
  std::uint32_t command_ = 0;
  std::uint32_t error_ = 0;
};

}  // namespace warifu::test
