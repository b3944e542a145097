#include "endorsement/ek/pem.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "wire/reader.h"

namespace warifu::endorsement {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kMaxLabel = 64;

Error no_pem(std::string message, std::size_t offset) {
  return invalid_input("endorsement.pem", std::move(message), wire::place("block", offset));
}

Result<Bytes> decode(std::string_view body, std::size_t offset) {
  std::string base64;
  base64.reserve(body.size());
  for (const char c : body)
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') base64.push_back(c);
  auto content = from_base64(base64);
  if (!content || content->empty()) return no_pem("expected base64 between BEGIN and END", offset);
  return std::move(*content);
}

// The next line from `at` on that begins with `mark`; npos without one.
std::size_t find_line(std::string_view text, std::string_view mark, std::size_t at) {
  for (std::size_t found; (found = text.find(mark, at)) != std::string_view::npos; at = found + 1)
    if (found == 0 || text[found - 1] == '\n' || text[found - 1] == '\r') return found;
  return std::string_view::npos;
}

// Where the line ends after `at`, if nothing but blanks stands there.
std::optional<std::size_t> end_of_line(std::string_view text, std::size_t at) {
  at = std::min(text.find_first_not_of(" \t", at), text.size());
  if (at < text.size() && text[at] != '\n' && text[at] != '\r') return std::nullopt;
  return at;
}

bool is_text(ByteView content) {
  return std::ranges::all_of(content, [](std::uint8_t byte) {
    return (byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

// Editors of other systems put it before the text.
std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

}  // namespace

bool looks_like_pem(ByteView content) {
  return is_text(content) && find_line(without_byte_order_mark(as_text(content)), kBegin, 0) != std::string_view::npos;
}

Result<std::vector<PemBlock>> pem_blocks(std::string_view text) {
  text = without_byte_order_mark(text);
  std::vector<PemBlock> blocks;
  for (std::size_t at = 0; (at = find_line(text, kBegin, at)) != std::string_view::npos;) {
    if (blocks.size() >= kMaxPemBlocks) return no_pem(fmt::format("expected at most {} blocks", kMaxPemBlocks), at);
    const std::size_t label_at = at + kBegin.size();
    const std::size_t label_end = text.substr(label_at, kMaxLabel + kDashes.size()).find(kDashes);
    if (label_end == std::string_view::npos) return no_pem("a BEGIN line has no end", at);
    const std::string label(text.substr(label_at, label_end));
    const auto body_at = end_of_line(text, label_at + label_end + kDashes.size());
    if (!body_at) return no_pem("something stands behind BEGIN in its line", at);
    const std::size_t body_end = find_line(text, kEnd, *body_at);
    if (body_end == std::string_view::npos || !text.substr(body_end + kEnd.size()).starts_with(label + "-----"))
      return no_pem(fmt::format("the block \"{}\" has no END line", label), at);
    const auto block_end = end_of_line(text, body_end + kEnd.size() + label.size() + kDashes.size());
    if (!block_end) return no_pem("something stands behind END in its line", body_end);
    TRY(Bytes content, decode(text.substr(*body_at, body_end - *body_at), at));
    blocks.push_back({label, std::move(content)});
    at = *block_end;
  }
  return blocks;
}

}  // namespace warifu::endorsement
