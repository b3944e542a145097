#include <fmt/format.h>

#include "measured_boot/ima/reading.h"

// Linux, security/integrity/ima/ima_fs.c: u32 PCR, template digest, u32 length of the name, name, u32 length of the
// template data, template data; all little-endian. Template data is, for each field, u32 length and bytes. Only "ima"
// has no length of its data and none of its digest.
namespace warifu::measured_boot::ima {
namespace {

constexpr std::size_t kWord = 4;
constexpr std::size_t kMaxOriginalName = 255;  // IMA_EVENT_NAME_LEN_MAX
constexpr RegisterIndex kMaxPcr = 23;

std::uint32_t little_endian(const std::uint8_t* at) {
  return std::uint32_t{at[0]} | std::uint32_t{at[1]} << 8 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[3]} << 24;
}
std::uint32_t big_endian(const std::uint8_t* at) {
  return std::uint32_t{at[3]} | std::uint32_t{at[2]} << 8 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[0]} << 24;
}

// Takes from the front of `rest`; every error says what was wanted and where.
struct Cursor {
  ByteView& rest;
  const Position& before;  // of the list, where the entry starts
  std::size_t offset;

  Result<ByteView> take(std::size_t size, std::string_view field) {
    if (size > rest.size())
      return entry_error("ima.truncated", fmt::format("expected {} bytes, only {} are left", size, rest.size()), before,
                         field, offset);
    const ByteView taken = rest.first(size);
    rest = rest.subspan(size);
    offset += size;
    return taken;
  }
  Result<std::uint32_t> u32(std::string_view field) {
    TRY(const ByteView word, take(kWord, field));
    return little_endian(word.data());
  }
};

Error pcr_error(ByteView word, const Position& before) {
  if (big_endian(word.data()) <= kMaxPcr)
    return entry_error("ima.big-endian",
                       "expected little-endian numbers: a big-endian kernel writes them with ima_canonical_fmt", before,
                       "PCR", before.offset);
  return entry_error("ima.pcr", fmt::format("expected a PCR from 0 to {}, got {}", kMaxPcr, little_endian(word.data())),
                     before, "PCR", before.offset);
}

}  // namespace

Status ListReader::read_binary() {
  ByteView rest = rest_;
  Cursor cursor{rest, position_, position_.offset};
  TRY(const ByteView pcr, cursor.take(kWord, "PCR"));
  entry_.pcr = little_endian(pcr.data());
  if (entry_.pcr > kMaxPcr) return pcr_error(pcr, position_);
  TRY(entry_.template_digest, cursor.take(crypto::digest_size(form_.template_digest), "template digest"));
  const std::size_t name_offset = cursor.offset;
  TRY(const std::uint32_t name_size, cursor.u32("template name length"));
  if (name_size > kMaxTemplateName)
    return entry_error("ima.template-name",
                       fmt::format("expected a length of at most {}, got {}", kMaxTemplateName, name_size), position_,
                       "template name length", name_offset);
  TRY(const ByteView name, cursor.take(name_size, "template name"));
  entry_.template_name = as_text(name);
  TRY_STATUS(use_template(entry_.template_name, cursor.offset - name.size()));

  if (entry_.is_original) {
    rest_ = rest;
    TRY_STATUS(read_original(cursor.offset));
    return {};
  }
  TRY(const std::uint32_t data_size, cursor.u32("template data length"));
  TRY(entry_.template_data, cursor.take(data_size, "template data"));
  TRY_STATUS(read_fields(entry_.template_data, cursor.offset - data_size));
  rest_ = rest;
  position_.offset = cursor.offset;
  return {};
}

Status ListReader::read_fields(ByteView data, std::size_t offset) {
  const auto expected = format_.view();
  Cursor cursor{data, position_, offset};
  while (!data.empty()) {
    const std::size_t count = entry_.field_count;
    if (count == (is_known_ ? expected.size() : kMaxFields))
      return entry_error("ima.field", fmt::format("expected {} fields, {} bytes are left over", count, data.size()),
                         position_, "template data", cursor.offset);
    const FieldId id = is_known_ ? expected[count] : FieldId::kUnknown;
    TRY(const std::uint32_t size, cursor.u32(field_name(id)));
    TRY(const ByteView bytes, cursor.take(size, field_name(id)));
    entry_.all_fields[entry_.field_count++] = {id, bytes};
  }
  if (is_known_ && entry_.field_count != expected.size())
    return entry_error("ima.field", fmt::format("expected {} fields, got {}", expected.size(), entry_.field_count),
                       position_, "template data", cursor.offset);
  return {};
}

// The digest is SHA-1 or MD5, and nothing says which: after a SHA-1 digest stands the length of a name, and after an
// MD5 digest the same four bytes are its first characters.
Status ListReader::read_original(std::size_t offset) {
  for (const std::size_t digest_size : {20U, 16U}) {
    if (rest_.size() < digest_size + kWord) continue;
    const std::uint32_t size = little_endian(rest_.data() + digest_size);
    if (size == 0 || size > kMaxOriginalName || size > rest_.size() - digest_size - kWord) continue;
    entry_.all_fields[0] = {FieldId::kDigest, rest_.first(digest_size)};
    entry_.all_fields[1] = {FieldId::kName, rest_.subspan(digest_size + kWord, size)};
    entry_.field_count = 2;
    entry_.template_data = {};
    rest_ = rest_.subspan(digest_size + kWord + size);
    position_.offset = offset + digest_size + kWord + size;
    return {};
  }
  return entry_error(
      "ima.template-data",
      fmt::format(
          "expected a digest of 20 or 16 bytes, the length of a name of 1 to {} bytes, and the name; {} bytes are left",
          kMaxOriginalName, rest_.size()),
      position_, "d", offset);
}

}  // namespace warifu::measured_boot::ima
