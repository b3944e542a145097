#pragma once

#include <tss2/tss2_common.h>

#include <string_view>

#include "base/error.h"

namespace warifu::tpm_device {

// Codes that callers act on. The others are in return_code.cpp.
inline constexpr std::string_view kBusAltered = "tpm.bus.altered";    // an HMAC of the TPM was wrong
inline constexpr std::string_view kSessionLost = "tpm.session.lost";  // the TPM was reset
inline constexpr std::string_view kHandleGone = "tpm.handle";
inline constexpr std::string_view kNotAuthorized = "tpm.auth";
inline constexpr std::string_view kIntegrity = "tpm.integrity";  // a wrapped object is not this parent's
inline constexpr std::string_view kNotStarted = "tpm.not-started";
inline constexpr std::string_view kMemory = "tpm.memory";  // no slot for an object or a session is free
inline constexpr std::string_view kFailure = "tpm.failure-mode";

// What a failed call of tpm2-tss means. `command` is its name in Part 3, "TPM2_Load".
Error error_of(TSS2_RC rc, std::string_view command);

// The TPM itself refused, as opposed to something between it and us; ESYS can go on after it.
bool is_from_tpm(TSS2_RC rc);

}  // namespace warifu::tpm_device
