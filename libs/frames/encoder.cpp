#include "frames/encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "frames/frame.h"

namespace warifu::frames {

bool is_plain_text(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_ascending(const std::vector<std::uint8_t>& numbers, std::uint8_t limit) {
  return std::ranges::adjacent_find(numbers, std::ranges::greater_equal()) == numbers.end() &&
         (numbers.empty() || numbers.back() < limit);
}

std::string expected_ascending(std::uint8_t limit) {
  return fmt::format("numbers from 0 to {}, ascending", limit - 1);
}

Encoder::Encoder(const Protocol& protocol) : protocol_(protocol), out_(kFrameMax) {
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
  if (!require(value.size() >= least && value.size() <= most, protocol_.codes.limit, name,
               fmt::format("{} to {} bytes, not {}", least, most, value.size())))
    return;
  if (!require(out_.view().size() + 2 + value.size() <= kBodyMax, protocol_.codes.limit, name,
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
  if (require(is_plain_text(value), protocol_.codes.value, name, "text without control characters"))
    sized(name, as_bytes(value), 0, most);
}

void Encoder::ascending(std::string_view name, const std::vector<std::uint8_t>& value, std::uint8_t limit) {
  if (require(is_ascending(value, limit), protocol_.codes.value, name, expected_ascending(limit)))
    sized(name, value, 0, limit);
}

void Encoder::list(std::string_view name, const std::vector<Bytes>& value, std::size_t most, std::size_t most_bytes) {
  if (!count(name, value.size(), most)) return;
  for (const Bytes& element : value)
    sized(name, element, 0, most_bytes);
}

void Encoder::texts(std::string_view name, const std::vector<std::string>& value, std::size_t most,
                    std::size_t most_bytes) {
  if (!count(name, value.size(), most)) return;
  for (const std::string& element : value)
    text(name, element, most_bytes);
}

bool Encoder::count(std::string_view name, std::size_t elements, std::size_t most) {
  if (!require(elements <= most, protocol_.codes.limit, name,
               fmt::format("at most {} elements, not {}", most, elements)))
    return false;
  unsigned_integer(elements, 1);
  return true;
}

Result<SecretBytes> Encoder::take() {
  SecretBytes body(out_.take());
  TRY_STATUS(std::move(status_));
  return body;
}

}  // namespace warifu::frames
