#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "pki/authority.h"
#include "pki/device_certificate.h"

namespace warifu::signer {

// What the server-communication role certifies.
struct NodeRules {
  // Beside "localhost" and the loopback addresses, which everybody may have.
  std::vector<std::string> names;
  std::chrono::seconds lifetime_max = pki::kNodeLifetime;
  std::uint32_t certificates_a_day = 100;
};

// What the endpoint-identity role certifies.
struct DeviceRules {
  std::chrono::seconds ldevid_lifetime_max = pki::kLdevidLifetimeMax;
  std::uint32_t certificates_a_day = 100'000;
  std::uint32_t responders_a_day = 100;
  // How far the server's clock may be from the signer's: a certificate begins about now.
  std::chrono::seconds clock_skew_max = std::chrono::hours(1);
};

// How long a list of revoked certificates is good at most.
inline constexpr std::chrono::days kCrlLifetimeMax{35};

// kRefused "signer.lifetime": it begins at another time than about now, is over, or lives longer than it may.
Status check_device_times(const DeviceRules& rules, const pki::DeviceOrder& order, Timestamp now);

// kRefused "signer.name" naming it.
Status check_names(const NodeRules& rules, const std::vector<std::string>& names);

}  // namespace warifu::signer
