#include "base/ids.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu {
namespace {

// The C locale functions would depend on the environment; identifiers are ASCII.
bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

struct Rule {
  std::string_view what;
  std::size_t size_max;
  std::string_view punctuation;
  bool alphanumeric_ends;
};

Result<std::string> check_text(std::string_view text, const Rule& rule, std::string_view code) {
  if (text.empty() || text.size() > rule.size_max)
    return invalid_input(
        code, fmt::format("{} has 1 to {} characters, this one has {}", rule.what, rule.size_max, text.size()));
  const auto allowed = [&](char c) { return is_alphanumeric(c) || rule.punctuation.find(c) != std::string_view::npos; };
  const auto bad = std::ranges::find_if_not(text, allowed);
  if (bad != text.end())
    return invalid_input(code, fmt::format("{} takes letters, digits and \"{}\" only", rule.what, rule.punctuation),
                         fmt::format("character {}", bad - text.begin()));
  if (rule.alphanumeric_ends && !(is_alphanumeric(text.front()) && is_alphanumeric(text.back())))
    return invalid_input(code, fmt::format("{} begins and ends with a letter or digit", rule.what));
  return std::string(text);
}

}  // namespace

Result<std::string> ScopeIdKind::check(std::string_view text) {
  TRY(auto checked, check_text(text, {"an ID scope", 64, "", false}, "id.scope"));
  return lower(checked);
}

Result<std::string> RegistrationIdKind::check(std::string_view text) {
  TRY(auto checked, check_text(text, {"a registration ID", 128, ":._-", true}, "id.registration"));
  return lower(checked);
}

Result<std::string> DeviceIdKind::check(std::string_view text) {
  TRY(auto checked, check_text(text, {"a device ID", 128, ":._-", true}, "id.device"));
  return lower(checked);
}

Result<std::string> GroupIdKind::check(std::string_view text) {
  TRY(auto checked, check_text(text, {"a group ID", 128, ":._-", true}, "id.group"));
  return lower(checked);
}

Result<std::string> LabelKind::check(std::string_view text) {
  return check_text(text, {"a name", 64, "._-", true}, "id.name");
}

Uuid Uuid::v7(Timestamp now, Entropy& entropy) {
  std::array<std::uint8_t, kSize> bytes{};
  entropy.fill(bytes);
  const auto micros = static_cast<std::uint64_t>(to_micros(now));
  const std::uint64_t millis = micros / 1000;
  for (std::size_t i = 0; i < 6; ++i)
    bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
  // RFC 9562 §6.2 method 3: the twelve bits after the version hold the fraction of the millisecond.
  const std::uint64_t fraction = (micros % 1000) * 4096 / 1000;
  bytes[6] = static_cast<std::uint8_t>(0x70 | (fraction >> 8));
  bytes[7] = static_cast<std::uint8_t>(fraction);
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return Uuid(bytes);
}

Result<Uuid> Uuid::from_bytes(ByteView bytes) {
  if (bytes.size() != kSize)
    return invalid_input("id.uuid", fmt::format("a UUID has 16 bytes, this one has {}", bytes.size()));
  std::array<std::uint8_t, kSize> copy{};
  std::ranges::copy(bytes, copy.begin());
  return Uuid(copy);
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto dash = [](std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; };
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dash(i) != (text[i] == '-')) return invalid_input("id.uuid", "not a UUID", fmt::format("character {}", i));
    if (!dash(i)) digits.push_back(text[i]);
  }
  TRY(auto bytes, from_hex(digits));
  return from_bytes(bytes);
}

std::string Uuid::text() const {
  const std::string hex = to_hex(bytes_);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

}  // namespace warifu
