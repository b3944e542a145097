#include "endorsement/ek/name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wire/reader.h"

namespace warifu::endorsement {
namespace {

namespace der = wire::der;

constexpr std::size_t kMaxAttributes = 64;

constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kShortNames = {{
    {"2.5.4.3", "CN"},
    {"2.5.4.5", "serialNumber"},
    {"2.5.4.6", "C"},
    {"2.5.4.7", "L"},
    {"2.5.4.8", "ST"},
    {"2.5.4.9", "street"},
    {"2.5.4.10", "O"},
    {"2.5.4.11", "OU"},
    {"2.23.133.2.1", "tpmManufacturer"},
    {"2.23.133.2.2", "tpmModel"},
    {"2.23.133.2.3", "tpmVersion"},
}};

std::string hex_form(const wire::DerElement& value) {
  return "#" + to_hex(value.whole);
}

// RFC 3629; no overlong form, no surrogate. Control characters are left to the hexadecimal form: they have no place in
// a name, and would reach terminals.
bool is_clean_utf8(ByteView text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t first = text[i];
    const std::size_t size = first < 0x80         ? 1
                             : (first >> 5) == 6  ? 2
                             : (first >> 4) == 14 ? 3
                             : (first >> 3) == 30 ? 4
                                                  : 0;
    if (size == 0 || size > text.size() - i || first < 0x20 || first == 0x7F) return false;
    std::uint32_t point = size == 1 ? first : first & (0x7Fu >> size);
    for (std::size_t k = 1; k < size; ++k) {
      if ((text[i + k] >> 6) != 2) return false;
      point = point << 6 | (text[i + k] & 0x3Fu);
    }
    constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[size] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return false;
    if (point >= 0x80 && point < 0xA0) return false;
    i += size;
  }
  return true;
}

// T61String is taken as Latin-1, as everybody does who meets one.
std::string from_latin1(ByteView text) {
  std::string out;
  for (const std::uint8_t byte : text) {
    if (byte >= 0x80) out.push_back(static_cast<char>(0xC0 | byte >> 6));
    out.push_back(static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3F)));
  }
  return out;
}

// BMPString: code units of two bytes without surrogates.
std::string from_bmp(ByteView text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const unsigned point = static_cast<unsigned>(text[i]) << 8 | text[i + 1];
    if (point < 0x80) {
      out.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
      out.push_back(static_cast<char>(0xC0 | point >> 6));
      out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    } else {
      out.push_back(static_cast<char>(0xE0 | point >> 12));
      out.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
      out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    }
  }
  return out;
}

std::string text_of(const wire::DerElement& value) {
  std::string text;
  switch (value.tag) {
    case der::kUtf8String:
    case der::kPrintableString:
    case der::kIa5String:
      text = as_text(value.content);
      break;
    case der::kT61String:
      text = from_latin1(value.content);
      break;
    case der::kBmpString:
      if (value.content.size() % 2 != 0) return hex_form(value);
      text = from_bmp(value.content);
      break;
    default:
      return hex_form(value);
  }
  return is_clean_utf8(as_bytes(text)) ? text : hex_form(value);
}

std::string escaped(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool at_edge = (i == 0 && (c == ' ' || c == '#')) || (i + 1 == value.size() && c == ' ');
    if (at_edge || std::string_view("\"+,;<>\\").find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string text_of(const NameAttribute& attribute) {
  const auto* known = std::ranges::find(kShortNames, attribute.type, [](const auto& row) { return row.first; });
  const std::string_view type = known != kShortNames.end() ? known->second : std::string_view(attribute.type);
  const bool is_hex = attribute.value.starts_with('#');
  return fmt::format("{}={}", type, is_hex ? attribute.value : escaped(attribute.value));
}

Result<NameAttribute> parse_attribute(const wire::DerElement& element) {
  wire::DerReader parts(element);
  TRY(const ByteView type, parts.oid("name.type"));
  TRY(const wire::DerElement value, parts.any("name.value"));
  TRY_STATUS(parts.expect_done("name.attribute"));
  TRY(std::string type_text, wire::oid_text(type));
  return NameAttribute{std::move(type_text), text_of(value)};
}

}  // namespace

Result<Name> Name::parse(const wire::DerElement& sequence) {
  Name name;
  name.der_ = to_bytes(sequence.whole);
  std::size_t count = 0;
  for (wire::DerReader rdns(sequence); !rdns.done();) {
    TRY(wire::DerReader set, rdns.enter(der::kSet, "name.rdn"));
    std::vector<NameAttribute> rdn;
    for (ByteView previous; !set.done();) {
      if (++count > kMaxAttributes)
        return invalid_input("endorsement.certificate.name",
                             fmt::format("expected at most {} attributes in a name, more came", kMaxAttributes),
                             wire::place("name", set.offset()));
      TRY(const wire::DerElement element, set.element(der::kSequence, "name.attribute"));
      // X.690, 11.6: a SET OF stands in the order of its encodings.
      if (!previous.empty() && std::ranges::lexicographical_compare(element.whole, previous))
        name.sets_are_ordered_ = false;
      previous = element.whole;
      TRY(auto attribute, parse_attribute(element));
      rdn.push_back(std::move(attribute));
    }
    name.rdns_.push_back(std::move(rdn));
    if (name.rdns_.size() > kMaxAttributes)
      return invalid_input("endorsement.certificate.name", "a name has too many parts",
                           wire::place("name", rdns.offset()));
  }
  return name;
}

std::string_view Name::find(std::string_view type) const {
  for (const auto& rdn : rdns_) {
    for (const NameAttribute& attribute : rdn)
      if (attribute.type == type) return attribute.value;
  }
  return {};
}

std::string Name::text() const {
  std::string out;
  for (auto rdn = rdns_.rbegin(); rdn != rdns_.rend(); ++rdn) {
    if (!out.empty()) out += ',';
    for (std::size_t i = 0; i < rdn->size(); ++i)
      out += (i > 0 ? "+" : "") + text_of((*rdn)[i]);
  }
  return out;
}

}  // namespace warifu::endorsement
