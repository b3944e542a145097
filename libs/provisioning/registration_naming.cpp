#include "provisioning/registration_naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace warifu::provisioning {
namespace {

constexpr std::string_view kEkHash = "{ek}";
constexpr std::size_t kTemplateSizeMax = 128;
// Of base32(SHA-256).
constexpr std::size_t kHashCharacters = 52;
// 40 bits: two of 10,000 devices then share a name with a chance of 1 in 22,000.
constexpr std::size_t kHashCharactersMin = 8;

Error malformed(std::string_view text, std::string_view why) {
  return invalid_input("enrollment.naming", fmt::format("\"{}\" is no template of a registration ID: {}", text, why),
                       "naming");
}

// What is literal is compared with IDs, which are in lower case.
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// The characters of an ID, wherever they stand: other parts may come before and after.
bool is_literal(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

RegistrationNaming RegistrationNaming::ek_hash() {
  return {std::string(kEkHash), {{Part::Kind::kEkHash, {}, kHashCharacters}}};
}

Result<RegistrationNaming::Part> RegistrationNaming::parse_placeholder(std::string_view inner) {
  if (inner == "ek") return Part{Part::Kind::kEkHash, {}, kHashCharacters};
  constexpr std::string_view kPrefix = "ek:";
  std::size_t characters = 0;
  const std::string_view digits = inner.starts_with(kPrefix) ? inner.substr(kPrefix.size()) : std::string_view();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), characters);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      characters < kHashCharactersMin || characters > kHashCharacters)
    return malformed(fmt::format("{{{}}}", inner), fmt::format("placeholders are {{ek}} and {{ek:N}}, N from {} to {}",
                                                               kHashCharactersMin, kHashCharacters));
  return Part{Part::Kind::kEkHash, {}, characters};
}

Result<RegistrationNaming> RegistrationNaming::parse(std::string_view text) {
  if (text.empty() || text.size() > kTemplateSizeMax)
    return malformed(text, fmt::format("it has 1 to {} characters", kTemplateSizeMax));
  std::vector<Part> parts;
  std::size_t wildcards = 0;
  for (std::string_view rest = text; !rest.empty();) {
    if (rest.front() == '*') {
      parts.push_back({Part::Kind::kAnything});
      rest.remove_prefix(1);
      ++wildcards;
    } else if (rest.front() == '{') {
      const auto end = rest.find('}');
      if (end == std::string_view::npos) return malformed(text, "a \"{\" has no \"}\"");
      TRY(auto part, parse_placeholder(rest.substr(1, end - 1)));
      parts.push_back(std::move(part));
      rest.remove_prefix(end + 1);
    } else {
      const auto literal = rest.substr(0, rest.find_first_of("*{"));
      if (!is_literal(literal)) return malformed(text, "an ID takes letters, digits and \":._-\" only");
      parts.push_back({Part::Kind::kText, lower(literal)});
      rest.remove_prefix(literal.size());
    }
  }
  // With two it would not be clear which part of an ID is whose.
  if (wildcards > 1) return malformed(text, "\"*\" may stand once");
  TRY_STATUS(check_that_an_id_fits(text, parts));
  return RegistrationNaming(std::string(text), std::move(parts));
}

// A template that no ID fits would keep every device out, and nobody would know why.
Status RegistrationNaming::check_that_an_id_fits(std::string_view text, const std::vector<Part>& parts) {
  std::string shortest;
  for (const Part& part : parts)
    shortest += part.kind == Part::Kind::kText     ? part.text
                : part.kind == Part::Kind::kEkHash ? std::string(part.characters, 'a')
                                                   : std::string("a");
  const auto id = RegistrationId::parse(shortest);
  if (id) return {};
  return malformed(text, fmt::format("no registration ID fits it ({})", id.error().message));
}

bool RegistrationNaming::allows(const tpm::EkPublic& ek, const RegistrationId& registration) const {
  const std::string hash = tpm::default_registration_id(ek);
  std::string before;  // the wildcard
  std::string after;
  bool has_wildcard = false;
  for (const Part& part : parts_) {
    std::string& fixed = has_wildcard ? after : before;
    switch (part.kind) {
      case Part::Kind::kText:
        fixed += part.text;
        break;
      case Part::Kind::kEkHash:
        fixed += hash.substr(0, part.characters);
        break;
      case Part::Kind::kAnything:
        has_wildcard = true;
        break;
    }
  }
  const std::string_view id = registration.text();
  if (!has_wildcard) return id == before;
  return id.size() > before.size() + after.size() && id.starts_with(before) && id.ends_with(after);
}

}  // namespace warifu::provisioning
