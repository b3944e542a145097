#include "signing_keys/key_place.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::signing_keys {
namespace {

constexpr std::size_t kNameSizeMax = 64;

}  // namespace

Result<KeyName> KeyName::parse(std::string_view text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto allowed = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  if (text.empty() || text.size() > kNameSizeMax || !is_letter(text.front()) || !std::ranges::all_of(text, allowed))
    return invalid_input(
        "key.name",
        fmt::format("the name of a key has 1 to {} of a to z, 0 to 9, '-' and '.', a letter first", kNameSizeMax));
  return KeyName(std::string(text));
}

std::string_view to_string(crypto::EcCurve curve) {
  return curve == crypto::EcCurve::kP256 ? "P-256" : "P-384";
}

Result<crypto::EcCurve> parse_curve(std::string_view text) {
  for (const auto curve : {crypto::EcCurve::kP256, crypto::EcCurve::kP384})
    if (text == to_string(curve)) return curve;
  return invalid_input("key.curve", "a key is on P-384 or P-256");
}

Error key_exists(const KeyName& name) {
  return {ErrorKind::kConflict, "key.exists", fmt::format("there is a key named {} already", name.text())};
}

Error unknown_key(const KeyName& name) {
  return {ErrorKind::kNotFound, "key.unknown", fmt::format("there is no key named {}", name.text())};
}

}  // namespace warifu::signing_keys
