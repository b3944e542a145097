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

}  // namespace warifu::signer
