#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

// Why there is no TPM to talk to, in words that tell an operator what to do. Every error is kUnavailable:
//   tpm.absent        no TPM, or nothing at that place
//   tpm.permission    it is there and we may not open it
//   tpm.busy          somebody else has it
//   tpm.version       it is a TPM 1.2
//   tpm.disabled      its hierarchies are switched off
//   tpm.not-started   nobody has sent TPM2_Startup
//   tpm.failure-mode  its self-test failed
//   tpm.unreachable   it does not answer as a TPM does
namespace warifu::tpm_device {

// Where the kernel shows its devices; a test has folders of its own.
struct SystemRoots {
  std::filesystem::path dev = "/dev";
  std::filesystem::path sys = "/sys";
};

// The cause, when open() of a TPM's device file failed with `error_number`.
Error explain_device(const std::filesystem::path& device, int error_number, const SystemRoots& roots);

// What a TPM says to TPM2_GetTestResult, which it must answer even when it failed.
enum class ProbeAnswer : std::uint8_t { kReady, kNeedsStartup };
// "tpm.version" for an answer with the tag of TPM 1.2 (TPM_TAG_RSP_COMMAND, 0x00C4).
Result<ProbeAnswer> judge_probe(ByteView response);

// The commands as bytes, for they are sent before there is anything that could make them: tag, size, TPM_CC,
// parameters.
inline constexpr std::array<std::uint8_t, 10> kGetTestResult = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x7C};
// TPM2_Startup(TPM_SU_CLEAR).
inline constexpr std::array<std::uint8_t, 12> kStartupClear = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0};
// TPM2_GetCapability(TPM_CAP_TPM_PROPERTIES, TPM_PT_STARTUP_CLEAR, 1): which hierarchies are enabled.
inline constexpr std::array<std::uint8_t, 22> kReadStartupClear = {0x80, 0x01, 0, 0, 0, 22, 0,    0, 0x01, 0x7A, 0,
                                                                   0,    0,    6, 0, 0, 2,  0x01, 0, 0,    0,    1};
// "tpm.disabled" when the owner or the endorsement hierarchy is not.
Status judge_hierarchies(ByteView response);

}  // namespace warifu::tpm_device
