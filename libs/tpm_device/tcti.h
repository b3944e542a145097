#pragma once

#include <tss2/tss2_tcti.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tpm_device/absence.h"

namespace warifu::tpm_device {

// The way to a TPM, as a configuration names it:
//   device:/dev/tpmrm0                  a device file of the kernel
//   swtpm:path=/run/swtpm/tpm           a swtpm on a UNIX socket, its control socket at the same path plus ".ctrl"
//   swtpm:host=127.0.0.1,port=2321      a swtpm on TCP, its control port one higher
//   mssim:host=127.0.0.1,port=2321      the reference simulator, its platform port one higher
//   tabrmd:                             the resource manager tpm2-abrmd
class TctiAddress {
 public:
  enum class Kind : std::uint8_t { kDevice, kSwtpm, kMssim, kTabrmd };

  // kInvalidInput "tpm.tcti" with the list of what is possible.
  static Result<TctiAddress> parse(std::string_view text);

  Kind kind() const { return kind_; }
  // What stands after the colon.
  const std::string& configuration() const { return configuration_; }
  // device: the file; swtpm:path=: the socket; else empty.
  const std::string& path() const { return path_; }
  // For Tss2_TctiLdr_Initialize.
  std::string text() const;
  // It has no firmware that would send TPM2_Startup.
  bool is_emulator() const { return kind_ == Kind::kSwtpm || kind_ == Kind::kMssim; }

 private:
  TctiAddress(Kind kind, std::string configuration) : kind_(kind), configuration_(std::move(configuration)) {}

  Kind kind_;
  std::string configuration_;
  std::string path_;
};

struct TctiDeleter {
  void operator()(TSS2_TCTI_CONTEXT* context) const;
};
using TctiPtr = std::unique_ptr<TSS2_TCTI_CONTEXT, TctiDeleter>;

// Connects, and finds out whether a TPM 2.0 that can be used is at the other end; starts up an emulator that nobody has
// started up. The errors are those of absence.h.
Result<TctiPtr> open_tcti(const TctiAddress& address, const SystemRoots& roots = {});

}  // namespace warifu::tpm_device
