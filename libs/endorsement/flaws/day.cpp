#include "endorsement/flaws/day.h"

#include <string>

#include "endorsement/ek/x509.h"

namespace warifu::endorsement {

std::optional<Timestamp> end_of_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  std::string digits(text);
  std::erase(digits, '-');
  digits += "235959Z";
  wire::DerElement element;
  element.tag = wire::der::kGeneralizedTime;
  element.content = as_bytes(digits);
  const auto time = parse_time(element);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace warifu::endorsement
