#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "device_config/device_config.h"

namespace warifu::device_config {
namespace {

constexpr std::size_t kHostSizeMax = 253;  // RFC 1035 §2.3.4
constexpr std::size_t kLabelSizeMax = 63;
constexpr std::chrono::seconds kDurationMax = std::chrono::days(366);

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

template <class Unsigned>
std::optional<Unsigned> number(std::string_view text) {
  Unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// RFC 952 and RFC 1123 §2.1. An IPv4 address has the same form.
bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kHostSizeMax) return false;
  while (true) {
    const auto dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-'; };
    if (label.empty() || label.size() > kLabelSizeMax || !std::ranges::all_of(label, allowed)) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

// Only the characters: that it is an address is seen when it is connected to.
bool looks_like_ipv6(std::string_view host) {
  const auto allowed = [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' || c == '.';
  };
  return host.size() >= 2 && host.size() <= 45 && std::ranges::count(host, ':') >= 2 &&
         std::ranges::all_of(host, allowed);
}

std::optional<std::chrono::seconds> unit_of(char c) {
  switch (c) {
    case 's':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::minutes(1);
    case 'h':
      return std::chrono::hours(1);
    case 'd':
      return std::chrono::days(1);
  }
  return std::nullopt;
}

}  // namespace

Result<ServerUrl> ServerUrl::parse(std::string_view text) {
  const auto refuse = [&] {
    return invalid_input("config.url",
                         fmt::format("the server is https://HOST or https://HOST:PORT, not \"{}\"", text));
  };
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme)) return refuse();
  std::string_view rest = text.substr(kScheme.size());
  std::string_view host;
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return refuse();
    host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!looks_like_ipv6(host)) return refuse();
  } else {
    host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(host.size());
    if (!is_host_name(host)) return refuse();
  }
  ServerUrl url;
  url.host.resize(host.size());
  std::ranges::transform(host, url.host.begin(), lower);
  if (rest.empty()) return url;
  const auto port = number<std::uint16_t>(rest.substr(1));
  if (rest.front() != ':' || !port || *port == 0) return refuse();
  url.port = *port;
  return url;
}

std::string ServerUrl::text() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("https://[{}]:{}", host, port) : fmt::format("https://{}:{}", host, port);
}

std::string_view to_string(EkTemplate ek_template) {
  return ek_template == EkTemplate::kTcg ? "tcg" : "dps";
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  const auto refuse = [&] {
    return invalid_input(
        "config.duration",
        fmt::format("\"{}\" is not a time like \"90s\", \"15m\", \"1h\" or \"7d\", at most 366 days", text));
  };
  if (text.size() < 2) return refuse();
  const auto unit = unit_of(text.back());
  const auto count = number<std::uint32_t>(text.substr(0, text.size() - 1));
  if (!unit || !count || *count == 0 || *count > kDurationMax / *unit) return refuse();
  return *count * *unit;
}

}  // namespace warifu::device_config
