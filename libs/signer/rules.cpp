#include "signer/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace warifu::signer {
namespace {

constexpr std::array<std::string_view, 3> kLoopback = {"localhost", "127.0.0.1", "::1"};

// Names of hosts are the same in capitals (RFC 4343).
std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

}  // namespace

Status check_names(const NodeRules& rules, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto is_it = [&](std::string_view allowed) { return lower(allowed) == lower(name); };
    if (std::ranges::any_of(kLoopback, is_it) || std::ranges::any_of(rules.names, is_it)) continue;
    return refused("signer.name", fmt::format("no server of this organisation may be called \"{}\" yet; allow it where "
                                              "the signer's keys are: warifu-signer allow --server-name {}",
                                              name, name));
  }
  return {};
}

}  // namespace warifu::signer
