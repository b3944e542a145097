#include "endorsement/ek/pem.h"

#include <fmt/format.h>

#include <algorithm>

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

}  // namespace

bool looks_like_pem(ByteView content) {
  // DER begins with a SEQUENCE or the header of an NV index, never with text.
  return !content.empty() && content.front() != 0x30 && content.front() != 0x10 &&
         as_text(content).find(kBegin) != std::string_view::npos;
}

Result<std::vector<PemBlock>> pem_blocks(std::string_view text) {
  std::vector<PemBlock> blocks;
  for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos;) {
    if (blocks.size() >= kMaxPemBlocks) return no_pem(fmt::format("expected at most {} blocks", kMaxPemBlocks), at);
    const std::size_t label_at = at + kBegin.size();
    const std::size_t label_end = text.substr(label_at, kMaxLabel + kDashes.size()).find(kDashes);
    if (label_end == std::string_view::npos) return no_pem("a BEGIN line has no end", at);
    const std::string label(text.substr(label_at, label_end));
    const std::size_t body_at = label_at + label_end + kDashes.size();
    const std::size_t body_end = text.find(kEnd, body_at);
    if (body_end == std::string_view::npos || !text.substr(body_end + kEnd.size()).starts_with(label + "-----"))
      return no_pem(fmt::format("the block \"{}\" has no END line", label), at);
    TRY(Bytes content, decode(text.substr(body_at, body_end - body_at), at));
    blocks.push_back({label, std::move(content)});
    at = body_end + kEnd.size();
  }
  return blocks;
}

}  // namespace warifu::endorsement
