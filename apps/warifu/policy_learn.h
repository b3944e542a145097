#pragma once

#include <string>

#include "warifu/commands.h"

namespace warifu::cli {

// Prints the policy that the device's newest kept attestation meets, for its siblings: the registers that its boot log
// explains, the claims that it proves, what was started, and the files of its IMA list. Nobody's word is taken: quote,
// logs and registers are verified here again. kRefused "policy.learn" when they contradict each other.
Status learn_policy(const Context& context, const std::string& registration_id);

}  // namespace warifu::cli
