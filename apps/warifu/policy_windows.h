#pragma once

#include <boost/json/array.hpp>

#include "attestation/appraisal/policy_file.h"
#include "warifu/commands.h"

// Until when files of policies are good that are not good for ever.
namespace warifu::cli {

// [{"until": RFC 3339, "files": N}], in the order in which they close.
boost::json::array windows_of(const attestation::EvidencePolicy& policy);
void print_windows(const boost::json::array& windows);
// The policies on the server as they are listed, with "next_window": when the next one closes, or null.
Status list_policy_windows(const Context& context);

}  // namespace warifu::cli
