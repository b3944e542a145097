#include <fmt/format.h>

#include "measured_boot/ima/reading.h"

// Linux, security/integrity/ima/ima_fs.c: u32 PCR, template digest, u32 length of the name, name, u32 length of the
// template data, template data; all little-endian. Template data is, for each field, u32 length and bytes. Only "ima"
// has no length of its data and none of its digest.
namespace warifu::measured_boot::ima {
namespace {

constexpr std::size_t kWord = 4;
constexpr std::size_t kMaxOriginalName = 255;  // IMA_EVENT_NAME_LEN_MAX

std::uint32_t little_endian(const std::uint8_t* at) {
  return std::uint32_t{at[0]} | std::uint32_t{at[1]} << 8 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[3]} << 24;
}
std::uint32_t big_endian(const std::uint8_t* at) {
  return std::uint32_t{at[3]} | std::uint32_t{at[2]} << 8 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[0]} << 24;
}

// Takes from the front of `rest`, or says no; what was wanted and where is told once it is known that it failed. A list
// has millions of these steps, and a Result for each would cost more than the hashes.
struct Cursor {
  const std::uint8_t* at;
  const std::uint8_t* end;

  std::size_t left() const { return static_cast<std::size_t>(end - at); }
  bool take(std::size_t size, ByteView& taken) {
    if (size > left()) return false;
    taken = {at, size};
    at += size;
    return true;
  }
  bool u32(std::uint32_t& value) {
    if (left() < kWord) return false;
    value = little_endian(at);
    at += kWord;
    return true;
  }
};

Cursor cursor_over(ByteView bytes) {
  return {bytes.data(), bytes.data() + bytes.size()};
}

Error pcr_error(ByteView word, const Position& before) {
  if (big_endian(word.data()) < kRegisters)
    return entry_error("ima.big-endian",
                       "expected little-endian numbers: a big-endian kernel writes them with ima_canonical_fmt", before,
                       "PCR", before.offset);
  return entry_error("ima.pcr",
                     fmt::format("expected a PCR from 0 to {}, got {}", kRegisters - 1, little_endian(word.data())),
                     before, "PCR", before.offset);
}

}  // namespace

Status ListReader::read_binary() {
  Cursor cursor = cursor_over(rest_);
  const auto offset = [&] { return position_.offset + rest_.size() - cursor.left(); };
  const auto truncated = [&](std::size_t size, std::string_view field) {
    return entry_error("ima.truncated", fmt::format("expected {} bytes, only {} are left", size, cursor.left()),
                       position_, field, offset());
  };
  if (!cursor.u32(entry_.pcr)) return truncated(kWord, "PCR");
  if (entry_.pcr >= kRegisters) return pcr_error(rest_.first(kWord), position_);
  const std::size_t digest_size = crypto::digest_size(form_.template_digest);
  if (!cursor.take(digest_size, entry_.template_digest)) return truncated(digest_size, "template digest");
  std::uint32_t name_size = 0;
  if (!cursor.u32(name_size)) return truncated(kWord, "template name length");
  if (name_size > kMaxTemplateName)
    return entry_error("ima.template-name",
                       fmt::format("expected a length of at most {}, got {}", kMaxTemplateName, name_size), position_,
                       "template name length", offset() - kWord);
  ByteView name;
  if (!cursor.take(name_size, name)) return truncated(name_size, "template name");
  entry_.template_name = as_text(name);
  if (!uses_last_template(entry_.template_name)) {
    TRY_STATUS(use_template(entry_.template_name, offset() - name.size()));
  }
  if (entry_.is_original) return read_original({cursor.at, cursor.left()}, offset());

  std::uint32_t data_size = 0;
  if (!cursor.u32(data_size)) return truncated(kWord, "template data length");
  if (!cursor.take(data_size, entry_.template_data)) return truncated(data_size, "template data");
  const std::size_t end = offset();
  if (!take_fields(entry_.template_data)) return fields_error(entry_.template_data, end - data_size);
  rest_ = {cursor.at, cursor.left()};
  position_.offset = end;
  return {};
}

// False: not these fields, one after another, and nothing behind them.
bool ListReader::take_fields(ByteView data) {
  Cursor cursor = cursor_over(data);
  const std::size_t expected = is_known_ ? format_.count : kMaxFields;
  std::size_t count = 0;
  while (cursor.left() != 0 && count < expected) {
    Field& field = entry_.all_fields[count];
    std::uint32_t size = 0;
    if (!cursor.u32(size) || !cursor.take(size, field.bytes)) return false;
    field.id = is_known_ ? format_.fields[count] : FieldId::kUnknown;
    ++count;
  }
  entry_.field_count = count;
  return cursor.left() == 0 && (!is_known_ || count == expected);
}

// Why take_fields() said no.
Error ListReader::fields_error(ByteView data, std::size_t start) const {
  Cursor cursor = cursor_over(data);
  const auto offset = [&] { return start + data.size() - cursor.left(); };
  const std::size_t expected = is_known_ ? format_.count : kMaxFields;
  std::size_t count = 0;
  for (; cursor.left() != 0 && count < expected; ++count) {
    const auto field = field_name(is_known_ ? format_.fields[count] : FieldId::kUnknown);
    std::uint32_t size = 0;
    ByteView bytes;
    const std::size_t wanted = cursor.u32(size) ? size : kWord;
    if (wanted > cursor.left())
      return entry_error("ima.truncated", fmt::format("expected {} bytes, only {} are left", wanted, cursor.left()),
                         position_, field, offset());
    cursor.take(size, bytes);
  }
  if (cursor.left() != 0)
    return entry_error("ima.field", fmt::format("expected {} fields, {} bytes are left over", count, cursor.left()),
                       position_, "template data", offset());
  return entry_error("ima.field", fmt::format("expected {} fields, got {}", expected, count), position_,
                     "template data", offset());
}

// The digest is SHA-1 or MD5, and nothing says which: after a SHA-1 digest stands the length of a name, and after an
// MD5 digest the same four bytes are its first characters.
Status ListReader::read_original(ByteView rest, std::size_t offset) {
  for (const std::size_t digest_size : {20U, 16U}) {
    if (rest.size() < digest_size + kWord) continue;
    const std::uint32_t size = little_endian(rest.data() + digest_size);
    if (size == 0 || size > kMaxOriginalName || size > rest.size() - digest_size - kWord) continue;
    entry_.all_fields[0] = {FieldId::kDigest, rest.first(digest_size)};
    entry_.all_fields[1] = {FieldId::kName, rest.subspan(digest_size + kWord, size)};
    entry_.field_count = 2;
    entry_.template_data = {};
    rest_ = rest.subspan(digest_size + kWord + size);
    position_.offset = offset + digest_size + kWord + size;
    return {};
  }
  return entry_error(
      "ima.template-data",
      fmt::format(
          "expected a digest of 20 or 16 bytes, the length of a name of 1 to {} bytes, and the name; {} bytes are left",
          kMaxOriginalName, rest.size()),
      position_, "d", offset);
}

}  // namespace warifu::measured_boot::ima
