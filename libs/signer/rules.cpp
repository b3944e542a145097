#include "signer/rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace warifu::signer {
namespace {

constexpr std::array<std::string_view, 3> kLoopback = {"localhost", "127.0.0.1", "::1"};

// Names of hosts are the same in capitals (RFC 4343), and an IPv6 address has many forms.
std::string one_form(std::string_view text) {
  std::string result(text);
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> printed{};
  if (::inet_pton(AF_INET6, result.c_str(), &address) == 1)
    return ::inet_ntop(AF_INET6, &address, printed.data(), printed.size());
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

}  // namespace

Status check_names(const NodeRules& rules, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto is_it = [&](std::string_view allowed) { return one_form(allowed) == one_form(name); };
    if (std::ranges::any_of(kLoopback, is_it) || std::ranges::any_of(rules.names, is_it)) continue;
    return refused("signer.name", fmt::format("no server of this organisation may be called \"{}\" yet; allow it where "
                                              "the signer's keys are: warifu-signer allow --server-name {}",
                                              name, name));
  }
  return {};
}

Status check_device_times(const DeviceRules& rules, const pki::DeviceOrder& order, Timestamp now) {
  // Of a certificate that is asked for again, after a crash, the times are those of the first time.
  constexpr std::chrono::days kAskedAgainMax{1};
  const bool is_for_life = order.identity == pki::DeviceIdentity::kIdevid;
  const bool begins_now =
      order.not_before <= now + rules.clock_skew_max && order.not_before + kAskedAgainMax + rules.clock_skew_max >= now;
  const bool is_short = is_for_life || order.not_after <= order.not_before + rules.ldevid_lifetime_max;
  if (begins_now && is_short && order.not_after > now) return {};
  return refused(
      "signer.lifetime",
      fmt::format("a device's certificate begins about now ({}) and an LDevID lives for {} days at most, not "
                  "from {} to {}: are the clocks right?",
                  to_rfc3339(now), std::chrono::floor<std::chrono::days>(rules.ldevid_lifetime_max).count(),
                  to_rfc3339(order.not_before), to_rfc3339(order.not_after)));
}

}  // namespace warifu::signer
