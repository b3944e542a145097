#include "tcb_protocol/encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "tcb_protocol/limits.h"

namespace warifu::tcb_protocol {

bool is_plain_text(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Encoder::Encoder() : out_(kFrameMax) {
}

bool Encoder::require(bool condition, std::string_view code, std::string_view name, std::string_view expected) {
  if (!status_) return false;
  if (!condition) status_ = invalid_input(code, fmt::format("expected {}", expected), std::string(name));
  return condition;
}

void Encoder::unsigned_integer(std::uint64_t value, std::size_t size) {
  if (!status_) return;
  for (std::size_t shift = 8 * size; shift != 0; shift -= 8)
    out_.u8(static_cast<std::uint8_t>(value >> (shift - 8)));
}

void Encoder::sized(std::string_view name, ByteView value, std::size_t least, std::size_t most) {
  if (!require(value.size() >= least && value.size() <= most, "tcb_protocol.limit", name,
               fmt::format("{} to {} bytes, not {}", least, most, value.size())))
    return;
  if (!require(out_.view().size() + 2 + value.size() <= kBodyMax, "tcb_protocol.limit", name,
               fmt::format("all fields to fit into {} bytes", kBodyMax)))
    return;
  out_.sized16(value);
}

void Encoder::bytes(std::string_view name, const Bytes& value, std::size_t least, std::size_t most) {
  sized(name, value, least, most);
}

void Encoder::bytes(std::string_view name, const SecretBytes& value, std::size_t least, std::size_t most) {
  sized(name, value.reveal(), least, most);
}

void Encoder::text(std::string_view name, const std::string& value, std::size_t most) {
  if (require(is_plain_text(value), "tcb_protocol.value", name, "text without control characters"))
    sized(name, as_bytes(value), 0, most);
}

void Encoder::pcrs(std::string_view name, const std::vector<std::uint8_t>& value) {
  const bool ascends = std::ranges::adjacent_find(value, std::ranges::greater_equal()) == value.end();
  const bool in_range = value.empty() || value.back() < kPcrCount;
  if (require(ascends && in_range, "tcb_protocol.value", name, "PCR numbers from 0 to 23, ascending"))
    sized(name, value, 0, kPcrCount);
}

void Encoder::list(std::string_view name, const std::vector<Bytes>& value, std::size_t most, std::size_t most_bytes) {
  if (!require(value.size() <= most, "tcb_protocol.limit", name,
               fmt::format("at most {} elements, not {}", most, value.size())))
    return;
  unsigned_integer(value.size(), 1);
  for (const Bytes& element : value)
    sized(name, element, 0, most_bytes);
}

Result<SecretBytes> Encoder::take() {
  SecretBytes body(out_.take());
  TRY_STATUS(std::move(status_));
  return body;
}

}  // namespace warifu::tcb_protocol
