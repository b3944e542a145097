#include "endorsement/ek/time_text.h"

#include <string>

#include "endorsement/ek/x509.h"

namespace warifu::endorsement {

Result<Timestamp> parse_time_text(std::string_view text) {
  const bool is_formed =
      text.size() == 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':';
  std::string digits;
  for (const char c : text)
    if (std::string_view("-T:").find(c) == std::string_view::npos) digits.push_back(c);
  wire::DerElement element;
  element.tag = wire::der::kGeneralizedTime;
  element.content = as_bytes(digits);
  const auto time = parse_time(element);
  if (is_formed && time) return *time;
  return invalid_input("endorsement.time", "expected a time in UTC like 2026-11-28T12:00:00Z", std::string(text));
}

}  // namespace warifu::endorsement
