#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "pki/authority.h"

namespace warifu::signer {

// What the server-communication role certifies.
struct NodeRules {
  // Beside "localhost" and the loopback addresses, which everybody may have.
  std::vector<std::string> names;
  std::chrono::seconds lifetime_max = pki::kNodeLifetime;
  std::uint32_t certificates_a_day = 100;
};

// kRefused "signer.name" naming it.
Status check_names(const NodeRules& rules, const std::vector<std::string>& names);

}  // namespace warifu::signer
