#pragma once

#include <string>

#include "attestation/appraisal/result.h"

namespace warifu::attestation {

// For a person at a terminal: the overall tier, a line for each layer, and one for each finding.
std::string to_text(const AttestationResult& result);

}  // namespace warifu::attestation
