#include "warifu/time_option.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <utility>

#include "base/time_text.h"

namespace warifu::cli {

Result<Timestamp> time_of(const std::string& text, const char* option) {
  if (const auto time = parse_rfc3339(text)) return *time;
  return invalid_input("option.time",
                       fmt::format("expected a time in UTC like 2026-12-01T00:00:00Z, \"{}\" came", text), option);
}

Result<std::chrono::seconds> duration_of(const std::string& text, const char* option) {
  constexpr std::pair<char, std::uint32_t> kUnits[] = {{'m', 60}, {'h', 3600}, {'d', 86'400}, {'w', 604'800}};
  constexpr std::uint64_t kMax = 3653ULL * 86'400;
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool has_unit = error == std::errc() && end + 1 == text.data() + text.size();
  for (const auto& [unit, seconds] : kUnits) {
    const std::uint64_t length = std::uint64_t{count} * seconds;
    if (has_unit && *end == unit && length > 0 && length <= kMax) return std::chrono::seconds(length);
  }
  return invalid_input("option.duration", fmt::format("expected a duration like 12h, 14d or 2w, \"{}\" came", text),
                       option);
}

}  // namespace warifu::cli
