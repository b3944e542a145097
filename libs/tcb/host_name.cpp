#include "tcb/host_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::tcb {
namespace {

constexpr std::size_t kNameSizeMax = 253;
constexpr std::size_t kLabelSizeMax = 63;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLabelSizeMax && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_host_name(std::string_view text) {
  if (text.size() > kNameSizeMax) return false;
  for (;;) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

Result<std::string> HostNameKind::check(std::string_view text) {
  if (is_host_name(text)) return std::string(text);
  return invalid_input("tcb.hub",
                       fmt::format("expected the host name of a hub, {} characters came that are none", text.size()));
}

}  // namespace warifu::tcb
