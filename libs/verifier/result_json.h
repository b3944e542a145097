#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "attestation/appraisal/result.h"

namespace warifu::verifier {

// {"overall", "layers": {"identity": …}}: what a device is told.
boost::json::object layers_object(const attestation::AttestationResult& result);
// The same with "findings": [{"layer", "tier", "code", "what", "where", "expected", "came", "allowed_by"}]; the last
// four only where they say something. What is kept.
std::string result_json(const attestation::AttestationResult& result);
// Whether a kept result holds a finding of this code.
bool has_finding(std::string_view kept_result, std::string_view code);

}  // namespace warifu::verifier
