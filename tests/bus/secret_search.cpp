#include "secret_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace warifu::bus {
namespace {

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// The characters that base64 makes of `value` and of nothing else when `before` bytes (0 to 2) stand before it in the
// same group of three: the first and the last character may also carry bits of the neighbours.
std::string base64_core(ByteView value, std::size_t before, std::string (*encode)(ByteView)) {
  Bytes padded(before);
  padded.insert(padded.end(), value.begin(), value.end());
  const std::size_t first = (before * 8 + 5) / 6;
  const std::size_t end = padded.size() * 8 / 6;
  return encode(padded).substr(first, end - first);
}

}  // namespace

std::string_view to_string(Spelling spelling) {
  switch (spelling) {
    case Spelling::kRaw:
      return "raw";
    case Spelling::kHex:
      return "hex";
    case Spelling::kBase64:
      return "base64";
  }
  return "";
}

Status SecretSearch::add(std::string name, ByteView value) {
  const std::size_t different = std::set(value.begin(), value.end()).size();
  if (value.size() < kMinSize || different < 8)
    return invalid_input("bus.secret.weak", fmt::format("{}: {} bytes, {} of them different, could be found by "
                                                        "accident",
                                                        name, value.size(), different));
  Secret secret{std::move(name), {{Spelling::kRaw, to_bytes(value)}}};
  const auto add_text = [&](Spelling spelling, const std::string& text) {
    secret.needles.push_back({spelling, to_bytes(as_bytes(text))});
  };
  add_text(Spelling::kHex, to_hex(value));
  add_text(Spelling::kHex, upper(to_hex(value)));
  for (const std::size_t before : {0u, 1u, 2u}) {
    const std::string core = base64_core(value, before, to_base64);
    const std::string url_core = base64_core(value, before, to_base64url);
    add_text(Spelling::kBase64, core);
    if (url_core != core) add_text(Spelling::kBase64, url_core);
  }
  secrets_.push_back(std::move(secret));
  return {};
}

std::vector<std::string> SecretSearch::names() const {
  std::vector<std::string> out;
  for (const Secret& secret : secrets_)
    out.push_back(secret.name);
  return out;
}

std::vector<Finding> SecretSearch::search(const Recording& recording) const {
  std::vector<Finding> found;
  for (const Secret& secret : secrets_)
    for (const Needle& needle : secret.needles) {
      const std::boyer_moore_horspool_searcher searcher(needle.bytes.begin(), needle.bytes.end());
      for (std::size_t i = 0; i < recording.size(); ++i) {
        const Bytes& hay = recording[i].bytes;
        const auto place = std::search(hay.begin(), hay.end(), searcher);
        if (place == hay.end()) continue;
        found.push_back({secret.name, needle.spelling, i, static_cast<std::size_t>(place - hay.begin())});
      }
    }
  return found;
}

std::string to_string(const Finding& finding, const Recording& recording) {
  const bool command = recording.at(finding.message).direction == Direction::kCommand;
  return fmt::format("{} ({}) in {} {} at byte {}", finding.secret, to_string(finding.spelling),
                     command ? "command" : "response", finding.message, finding.offset);
}

}  // namespace warifu::bus
