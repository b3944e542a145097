#include "measured_boot/claims/variable.h"

#include <fmt/format.h>

#include "measured_boot/event_log/cursor.h"
#include "wire/reader.h"

namespace warifu::measured_boot {
namespace {

constexpr std::size_t kGuidSize = 16;
constexpr std::size_t kListHeaderSize = kGuidSize + 12;

Error bad_list(std::string message, std::size_t offset) {
  return invalid_input("eventlog.signature-list", std::move(message), wire::place("signatureList", offset));
}

Status parse_list(Cursor& cursor, std::vector<Signature>& signatures) {
  const std::size_t offset = cursor.offset();
  TRY(const auto type, cursor.bytes(kGuidSize, "signatureList.type"));
  TRY(const auto list_size, cursor.u32("signatureList.listSize"));
  TRY(const auto header_size, cursor.u32("signatureList.headerSize"));
  TRY(const auto signature_size, cursor.u32("signatureList.signatureSize"));
  if (list_size < kListHeaderSize)
    return bad_list(fmt::format("expected a size of {} bytes or more, not {}", kListHeaderSize, list_size), offset);
  TRY(const auto body, cursor.bytes(list_size - kListHeaderSize, "signatureList.signatures"));
  if (header_size > body.size()) return bad_list("the header is longer than the list", offset);
  ByteView left = body.subspan(header_size);
  if (left.empty()) return {};
  if (signature_size <= kGuidSize || left.size() % signature_size != 0)
    return bad_list(fmt::format("{} bytes are no whole number of signatures of {}", left.size(), signature_size),
                    offset);
  if (left.size() / signature_size > kMaxSignatures - signatures.size())
    return bad_list(fmt::format("expected {} signatures at most", kMaxSignatures), offset);
  for (; !left.empty(); left = left.subspan(signature_size)) {
    signatures.push_back(
        {.type = guid_of(type), .owner = guid_of(left), .data = left.subspan(kGuidSize, signature_size - kGuidSize)});
  }
  return {};
}

}  // namespace

Result<Variable> parse_variable(ByteView event_data, std::size_t offset) {
  Cursor cursor(event_data, offset);
  TRY(const auto vendor, cursor.bytes(kGuidSize, "variable.variableName"));
  TRY(const auto name_length, cursor.u64("variable.unicodeNameLength"));
  TRY(const auto value_length, cursor.u64("variable.variableDataLength"));
  if (name_length > cursor.remaining() / 2)
    return invalid_input("eventlog.truncated",
                         fmt::format("expected {} characters, only {} bytes are left", name_length, cursor.remaining()),
                         wire::place("variable.unicodeName", cursor.offset()));
  const std::size_t name_offset = cursor.offset();
  TRY(const auto raw_name, cursor.bytes(2 * name_length, "variable.unicodeName"));
  auto name = utf8_of_utf16(raw_name);
  if (!name) return invalid_input("eventlog.text", "expected UTF-16", wire::place("variable.unicodeName", name_offset));
  TRY(const auto value, cursor.bytes(value_length, "variable.variableData"));
  TRY_STATUS(cursor.expect_done("variable"));
  return Variable{.vendor = guid_of(vendor), .name = std::move(*name), .value = value};
}

Result<std::vector<Signature>> parse_signature_lists(ByteView value, std::size_t offset) {
  Cursor cursor(value, offset);
  std::vector<Signature> signatures;
  while (cursor.remaining() > 0)
    TRY_STATUS(parse_list(cursor, signatures));
  return signatures;
}

Guid global_variable_guid() {
  static const Guid guid = parse_guid("8be4df61-93ca-11d2-aa0d-00e098032b8c");
  return guid;
}

Guid image_security_guid() {
  static const Guid guid = parse_guid("d719b2cb-3d3a-4596-a3bc-dad00e67656f");
  return guid;
}

Guid x509_signature_guid() {
  static const Guid guid = parse_guid("a5c059a1-94e4-4aa7-87b5-ab155c2bf072");
  return guid;
}

Guid sha256_signature_guid() {
  static const Guid guid = parse_guid("c1c41626-504c-4092-aca9-41f936934328");
  return guid;
}

std::string_view signature_type_name(const Guid& type) {
  if (type == x509_signature_guid()) return "x509";
  if (type == sha256_signature_guid()) return "sha256";
  return "other";
}

}  // namespace warifu::measured_boot
