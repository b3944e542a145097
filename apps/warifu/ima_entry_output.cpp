#include "warifu/ima_entry_output.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::cli {
namespace {

namespace json = boost::json;
namespace ima = measured_boot::ima;
using ima::FieldId;

// A name is bytes that a device chose: what is no plain ASCII is shown as \xNN, in JSON too, so that nothing in it
// reaches a terminal or is taken for something else.
std::string shown(ByteView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7f && byte != '\\')
      text += static_cast<char>(byte);
    else
      text += fmt::format("\\x{:02x}", byte);
  }
  return text;
}

std::string shown_name(ByteView bytes) {
  while (!bytes.empty() && bytes.back() == 0)
    bytes = bytes.first(bytes.size() - 1);
  return shown(bytes);
}

std::string shown_digest(const ima::FileDigest& digest) {
  return fmt::format("{}{}:{}", digest.kind == ima::FileDigest::Kind::kVerity ? "verity:" : "",
                     shown(as_bytes(digest.algorithm)), to_hex(digest.bytes));
}

std::uint64_t number_of(ByteView bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = std::min<std::size_t>(bytes.size(), 8); i > 0; --i)
    number = number << 8 | bytes[i - 1];
  return number;
}

json::value shown_field(const ima::Field& field) {
  if (const auto digest = ima::parse_file_digest(field)) return json::string(shown_digest(*digest));
  switch (ima::field_form(field.id)) {
    case ima::FieldForm::kString:
      return json::string(shown_name(field.bytes));
    case ima::FieldForm::kNumber:
      if (!field.bytes.empty() && field.bytes.size() <= 8) return number_of(field.bytes);
      [[fallthrough]];
    default:
      return json::string(to_hex(field.bytes));
  }
}

bool is_shown_first(FieldId id) {
  return id == FieldId::kDigest || id == FieldId::kDigestNg || id == FieldId::kDigestNgV2 || id == FieldId::kName ||
         id == FieldId::kNameNg;
}

}  // namespace

json::object entry_to_json(const ima::Entry& entry) {
  json::array fields;
  for (const ima::Field& field : entry.fields())
    fields.push_back(json::object{{"field", ima::field_name(field.id)}, {"value", shown_field(field)}});
  return {{"entry", entry.number},
          {"offset", entry.offset},
          {"pcr", entry.pcr},
          {"template", entry.template_name},
          {"template_digest", to_hex(entry.template_digest)},
          {"violation", entry.is_violation()},
          {"proved_by", entry.is_violation() ? json::value(nullptr) : json::value("template-digest")},
          {"fields", std::move(fields)}};
}

void print_entry(const ima::Entry& entry) {
  const auto digest = ima::file_digest_of(entry);
  const auto name = ima::name_of(entry);
  fmt::print("{:>6}  PCR {:<2}  {}  {}  {}{}", entry.number, entry.pcr, entry.template_name,
             digest ? shown_digest(*digest) : "-", name ? shown(as_bytes(*name)) : "-",
             entry.is_violation() ? "  VIOLATION (nothing proves this line)" : "");
  for (const ima::Field& field : entry.fields())
    if (!(entry.starts_with_digest_and_name() && is_shown_first(field.id)) && !field.bytes.empty())
      fmt::print("  {}={} bytes", ima::field_name(field.id), field.bytes.size());
  fmt::print("\n");
}

}  // namespace warifu::cli
