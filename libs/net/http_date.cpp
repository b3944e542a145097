#include "net/http_date.h"

#include <array>
#include <string_view>

namespace warifu::net {
namespace {

void add_digits(std::string& text, unsigned number, unsigned first) {
  for (unsigned unit = first; unit > 0; unit /= 10)
    text += static_cast<char>('0' + number / unit % 10);
}

}  // namespace

// By hand: it is done with each answer, and formatting took as long as finding some of them.
std::string http_date(Timestamp time) {
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const auto second = static_cast<unsigned>(std::chrono::floor<std::chrono::seconds>(time - days).count());
  std::string text;
  text.reserve(29);
  text.append(kDays[std::chrono::weekday(days).c_encoding()]).append(", ");
  add_digits(text, unsigned{date.day()}, 10);
  text.append(" ").append(kMonths[unsigned{date.month()} - 1]).append(" ");
  add_digits(text, static_cast<unsigned>(int{date.year()}), 1000);
  text += ' ';
  add_digits(text, second / 3600, 10);
  text += ':';
  add_digits(text, second / 60 % 60, 10);
  text += ':';
  add_digits(text, second % 60, 10);
  return text.append(" GMT");
}

}  // namespace warifu::net
