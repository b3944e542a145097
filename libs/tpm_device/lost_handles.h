#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace warifu::tpm_device {

// TPM2_GetCapability(TPM_CAP_HANDLES) of transient objects and of loaded sessions, which the guard sends past the
// table: there is no session then, and a forged answer only makes us flush something that is ours.
extern const Bytes kListObjects;
extern const Bytes kListSessions;

// The handles of objects and sessions in the answer; none when it is no such answer.
std::vector<std::uint32_t> listed_handles(ByteView response);

}  // namespace warifu::tpm_device
