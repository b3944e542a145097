#pragma once

#include <string>

#include "attestation/appraisal/evidence.h"
#include "attestation/quote/ak_public.h"
#include "base/result.h"

namespace warifu::cli {

// warifu.evidence-policy.v1, one line for each thing that it demands, that this very evidence meets. kRefused
// "policy.learn": the evidence contradicts itself, or has no boot log.
Result<std::string> learn_from(const attestation::Evidence& evidence, const attestation::AkPublic& ak,
                               const Bytes& nonce);

}  // namespace warifu::cli
