#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "measured_boot/ima/reading.h"

// Linux, ima_fs.c and ima_template_lib.c: "%2d" PCR, template digest, template name and the fields, each after a space.
// A digest is shown as "sha256:" and digits, for "sha256:" NUL bytes; a name without the NUL at its end. In names the
// kernel has put "_" for each space, but a line feed stands as it is: then the entry goes on in the next line.
namespace warifu::measured_boot::ima {
namespace {

constexpr std::size_t kMaxPcrDigits = 2;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_value(char c) {
  return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool append_hex(std::string_view digits, Bytes& out) {
  if (digits.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_value(digits[i]);
    const int low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return true;
}

// The two numbers at the start of an entry, as text.
struct Start {
  std::string_view pcr;
  std::string_view digest;
  std::size_t size = 0;  // up to the space after the digest
};
std::optional<Start> parse_start(std::string_view text) {
  const std::size_t padding = text.starts_with(' ') ? 1 : 0;
  std::size_t end = padding;
  while (end < text.size() && end - padding <= kMaxPcrDigits && is_digit(text[end]))
    ++end;
  if (end == padding || end - padding > kMaxPcrDigits || end >= text.size() || text[end] != ' ') return std::nullopt;
  Start start;
  start.pcr = text.substr(padding, end - padding);
  const std::size_t digest = ++end;
  while (end < text.size() && end - digest <= 2 * crypto::kMaxDigestSize && hex_value(text[end]) >= 0)
    ++end;
  start.digest = text.substr(digest, end - digest);
  start.size = end;
  return start;
}

bool starts_entry(std::string_view text, std::size_t digest_size) {
  const auto start = parse_start(text);
  return start && start->digest.size() == 2 * digest_size && text.substr(start->size).starts_with(' ');
}

// All of the entry, without the line feed that ends it. Nothing is lost when the last one has none: its digest tells
// whether it is whole.
std::size_t entry_size(std::string_view text, std::size_t digest_size) {
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1))
    if (end + 1 == text.size() || starts_entry(text.substr(end + 1), digest_size)) return end;
  return text.size();
}

std::string_view take_token(std::string_view& text) {
  const std::string_view token = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), token.size() + 1));
  return token;
}

void append_text(std::string_view text, Bytes& out) {
  const ByteView bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

bool append_number(std::string_view text, std::size_t size, Bytes& out) {
  if (text.empty()) return true;
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number >> (8 * size) != 0) return false;
  for (std::size_t i = 0; i < size; ++i)
    out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
  return true;
}

bool append_digest(std::string_view text, Bytes& out) {
  if (text.empty()) return true;
  const auto colon = text.rfind(':');
  append_text(colon == std::string_view::npos ? ":" : text.substr(0, colon + 1), out);
  out.push_back(0);
  return append_hex(colon == std::string_view::npos ? text : text.substr(colon + 1), out);
}

// The bytes of a field as they are in the template data. False: the kernel does not show it so.
bool append_field(FieldId id, std::string_view text, Bytes& out) {
  switch (field_form(id)) {
    case FieldForm::kDigestWithAlgorithm:
      return append_digest(text, out);
    case FieldForm::kNumber:
      return append_number(text, id == FieldId::kInodeMode ? 2 : 4, out);
    case FieldForm::kString:
      append_text(text, out);
      if (!text.empty() || id != FieldId::kXattrNames) out.push_back(0);
      return true;
    case FieldForm::kDigest:
    case FieldForm::kHexadecimal:
      return append_hex(text, out);
  }
  return false;
}

}  // namespace

bool looks_like_ascii(ByteView list) {
  const auto start = parse_start(as_text(list.first(std::min<std::size_t>(list.size(), 256))));
  return start && !start->digest.empty();
}

Status ListReader::read_line() {
  const std::string_view text = as_text(rest_);
  const std::size_t digest_size = crypto::digest_size(form_.template_digest);
  const auto line_error = [this](std::string message, std::string_view field, std::size_t offset) {
    return entry_error("ima.line", std::move(message), position_, field, position_.offset + offset);
  };
  const auto start = parse_start(text);
  if (!start || start->digest.size() != 2 * digest_size)
    return line_error(fmt::format("expected a PCR and {} hexadecimal digits", 2 * digest_size), "PCR", 0);
  std::from_chars(start->pcr.data(), start->pcr.data() + start->pcr.size(), entry_.pcr);
  if (entry_.pcr >= kRegisters)
    return entry_error("ima.pcr", fmt::format("expected a PCR from 0 to {}, got {}", kRegisters - 1, entry_.pcr),
                       position_, "PCR", position_.offset);
  const std::size_t size = entry_size(text, digest_size);
  if (start->size >= size || text[start->size] != ' ')
    return line_error("expected a space and the template name", "template name", start->size);

  std::string_view rest = text.substr(start->size + 1, size - start->size - 1);
  const std::size_t name_offset = start->size + 1;
  entry_.template_name = take_token(rest);
  TRY_STATUS(use_template(entry_.template_name, position_.offset + name_offset));
  if (!is_known_)
    return line_error("a template that is not known cannot be read from text", "template name", name_offset);
  scratch_.clear();
  append_hex(start->digest, scratch_);
  TRY_STATUS(read_tokens(rest, position_.offset + size - rest.size()));
  const std::size_t taken = std::min(size + 1, rest_.size());
  rest_ = rest_.subspan(taken);
  position_.offset += taken;
  return {};
}

Status ListReader::read_tokens(std::string_view tokens, std::size_t offset) {
  const auto expected = format_.view();
  const std::size_t data_start = scratch_.size();
  std::array<std::size_t, kMaxFields> starts{};
  std::array<std::size_t, kMaxFields> sizes{};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const FieldId id = expected[i];
    // The last one takes what is left: only kernels before 3.13, whose template was "ima", wrote spaces in names.
    const std::string_view token = i + 1 == expected.size() ? std::exchange(tokens, {}) : take_token(tokens);
    if (!format_.is_original) scratch_.insert(scratch_.end(), 4, 0);
    starts[i] = scratch_.size();
    if (!append_field(id, token, scratch_))
      return entry_error("ima.line", "the kernel does not write such a field", position_, field_name(id), offset);
    if (format_.is_original && id == FieldId::kName) scratch_.pop_back();
    sizes[i] = scratch_.size() - starts[i];
    if (!format_.is_original)
      for (std::size_t byte = 0; byte < 4; ++byte)
        scratch_[starts[i] - 4 + byte] = static_cast<std::uint8_t>(sizes[i] >> (8 * byte));
    offset += token.size() + 1;
  }
  if (format_.is_original && sizes[1] > 255)
    return entry_error("ima.line", "a name has at most 255 bytes here", position_, "n", offset);
  const ByteView all = scratch_;
  entry_.template_digest = all.first(data_start);
  entry_.template_data = format_.is_original ? ByteView() : all.subspan(data_start);
  entry_.field_count = expected.size();
  for (std::size_t i = 0; i < expected.size(); ++i)
    entry_.all_fields[i] = {expected[i], all.subspan(starts[i], sizes[i])};
  return {};
}

}  // namespace warifu::measured_boot::ima
