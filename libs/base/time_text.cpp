#include "base/time_text.h"

#include <algorithm>
#include <cstdint>

namespace warifu {
namespace {

constexpr std::size_t kToTheSecond = std::string_view("2026-12-01T00:00:00").size();
constexpr std::size_t kFractionMax = 6;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What stands where the pattern has a 0 must be a digit, all else as the pattern has it.
bool fits(std::string_view text, std::string_view pattern) {
  return std::ranges::equal(text, pattern,
                            [](char c, char wanted) { return wanted == '0' ? is_digit(c) : c == wanted; });
}

std::uint32_t number(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits)
    value = 10 * value + static_cast<std::uint32_t>(c - '0');
  return value;
}

// Of ".25": 250,000.
std::optional<std::uint32_t> micros_of(std::string_view fraction) {
  if (fraction.empty()) return 0;
  fraction.remove_prefix(1);
  if (fraction.empty() || fraction.size() > kFractionMax || !std::ranges::all_of(fraction, is_digit))
    return std::nullopt;
  std::uint32_t micros = number(fraction);
  for (std::size_t i = fraction.size(); i < kFractionMax; ++i)
    micros *= 10;
  return micros;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  if (text.size() <= kToTheSecond || text.back() != 'Z') return std::nullopt;
  const std::string_view whole = text.substr(0, kToTheSecond);
  const std::string_view fraction = text.substr(kToTheSecond, text.size() - kToTheSecond - 1);
  if (!fits(whole, "0000-00-00T00:00:00") || (!fraction.empty() && fraction.front() != '.')) return std::nullopt;
  const year_month_day date(year(static_cast<int>(number(whole.substr(0, 4)))), month(number(whole.substr(5, 2))),
                            day(number(whole.substr(8, 2))));
  const std::uint32_t hour = number(whole.substr(11, 2));
  const std::uint32_t minute = number(whole.substr(14, 2));
  const std::uint32_t second = number(whole.substr(17, 2));
  const auto micros = micros_of(fraction);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59 || !micros) return std::nullopt;
  return Timestamp(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + microseconds(*micros);
}

}  // namespace warifu
