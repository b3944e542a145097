#pragma once

#include <vector>

#include "sim/software_tpm.h"

namespace warifu::bench {

// Software TPMs with RSA-2048 EKs that all differ, and one SRK. Drawing a key for each would take half a minute: any
// two of a few primes are a key too. (Nobody may do that with keys that are to be secret.) 36 at most.
std::vector<sim::SoftwareTpm> make_software_tpms(std::size_t count);

}  // namespace warifu::bench
