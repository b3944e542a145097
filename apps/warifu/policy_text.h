#pragma once

#include <string>

#include "base/result.h"

namespace warifu::cli {

// A policy of evidence in a file, or in standard input ("-"), as the JSON that attestation::parse_evidence_policy()
// takes: the file may be YAML, too. kInvalidInput as read_evidence() and declarations::read_yaml(); "policy.documents"
// unless the file has one document.
Result<std::string> read_policy_text(const std::string& file);

}  // namespace warifu::cli
