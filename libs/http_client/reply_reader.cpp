#include "http_client/reply_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace warifu::http_client {
namespace {

constexpr std::size_t kRequestIdMax = 64;
constexpr std::size_t kEtagMax = 128;
constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// Digits and nothing else.
template <class Unsigned>
std::optional<Unsigned> number(std::string_view text) {
  Unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// It goes into messages for people.
std::string printable(std::string_view text, std::size_t size_max) {
  const bool fits = text.size() <= size_max && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  return std::string(fits ? text : std::string_view());
}

}  // namespace

void ReplyReader::add_header(std::string_view line) {
  if (line.starts_with("HTTP/")) reply_ = {};
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (equals_without_case(name, "Retry-After")) reply_.retry_after = parse_retry_after(value);
  if (equals_without_case(name, "Date")) reply_.date = parse_http_date(value);
  if (equals_without_case(name, "x-ms-request-id")) reply_.request_id = printable(value, kRequestIdMax);
  if (equals_without_case(name, "ETag")) reply_.etag = printable(value, kEtagMax);
}

bool ReplyReader::add_body(std::string_view part) {
  if (part.size() > body_max_ - reply_.body.size()) return false;
  reply_.body += part;
  return true;
}

agent::HttpReply ReplyReader::take(int status) {
  reply_.status = status;
  return std::move(reply_);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value) {
  const auto seconds = number<std::uint32_t>(value);
  if (!seconds || *seconds > 24 * 60 * 60) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

std::optional<Timestamp> parse_http_date(std::string_view value) {
  // "Sun, 22 Nov 2026 01:30:35 GMT": every part has its place.
  constexpr std::string_view kForm = "xxx, 00 xxx 0000 00:00:00 GMT";
  if (value.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] != 'x' && kForm[i] != '0' && kForm[i] != value[i]) return std::nullopt;
  const auto month = std::ranges::find(kMonths, value.substr(8, 3));
  const auto day = number<unsigned>(value.substr(5, 2));
  const auto year = number<unsigned>(value.substr(12, 4));
  const auto hour = number<unsigned>(value.substr(17, 2));
  const auto minute = number<unsigned>(value.substr(20, 2));
  const auto second = number<unsigned>(value.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(*day));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace warifu::http_client
