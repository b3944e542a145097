#pragma once

#include <cstddef>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// Unpredictable as long as one of its two sources is: HKDF-SHA256 over 32 bytes of the TPM's generator (TPM2_GetRandom)
// and 32 of the system's. A TPM with a weak generator, or one that lies, decides nothing; neither does a system that
// has just booted. `purpose` keeps uses apart. At most 8160 bytes.
Result<SecretBytes> mixed_random(Tpm& tpm, Entropy& entropy, std::string_view purpose, std::size_t size);

}  // namespace warifu::tcb
