#include "frames/decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "frames/encoder.h"

namespace warifu::frames {

void Decoder::refuse(std::string_view code, std::string_view name, std::size_t offset, std::string_view expected) {
  if (status_) status_ = invalid_input(code, fmt::format("expected {}", expected), wire::place(name, offset));
}

std::uint64_t Decoder::unsigned_integer(std::string_view name, std::size_t size) {
  if (!status_) return 0;
  const auto raw = reader_.bytes(size, name);
  if (!raw) {
    status_ = raw.error();
    return 0;
  }
  std::uint64_t value = 0;
  for (const std::uint8_t byte : *raw)
    value = value << 8 | byte;
  return value;
}

void Decoder::flag(std::string_view name, bool& value) {
  const std::size_t at = reader_.offset();
  const auto read = unsigned_integer(name, 1);
  if (read > 1) refuse(protocol_.codes.value, name, at, fmt::format("0 or 1, not {}", read));
  value = read == 1;
}

ByteView Decoder::sized(std::string_view name, std::size_t least, std::size_t most) {
  if (!status_) return {};
  const std::size_t at = reader_.offset();
  const auto value = reader_.sized16(name);
  if (!value) {
    status_ = value.error();
    return {};
  }
  if (value->size() >= least && value->size() <= most) return *value;
  refuse(protocol_.codes.limit, name, at, fmt::format("{} to {} bytes, not {}", least, most, value->size()));
  return {};
}

void Decoder::bytes(std::string_view name, Bytes& value, std::size_t least, std::size_t most) {
  value = to_bytes(sized(name, least, most));
}

void Decoder::bytes(std::string_view name, SecretBytes& value, std::size_t least, std::size_t most) {
  value = SecretBytes::copy_of(sized(name, least, most));
}

void Decoder::text(std::string_view name, std::string& value, std::size_t most) {
  const std::size_t at = reader_.offset();
  value = as_text(sized(name, 0, most));
  if (!is_plain_text(value)) refuse(protocol_.codes.value, name, at, "text without control characters");
}

void Decoder::ascending(std::string_view name, std::vector<std::uint8_t>& value, std::uint8_t limit) {
  const std::size_t at = reader_.offset();
  value = to_bytes(sized(name, 0, limit));
  if (!is_ascending(value, limit)) refuse(protocol_.codes.value, name, at, expected_ascending(limit));
}

void Decoder::list(std::string_view name, std::vector<Bytes>& value, std::size_t most, std::size_t most_bytes) {
  const auto elements = count(name, most);
  for (std::uint64_t i = 0; i < elements && status_; ++i)
    value.push_back(to_bytes(sized(name, 0, most_bytes)));
}

void Decoder::texts(std::string_view name, std::vector<std::string>& value, std::size_t most, std::size_t most_bytes) {
  const auto elements = count(name, most);
  for (std::uint64_t i = 0; i < elements && status_; ++i)
    text(name, value.emplace_back(), most_bytes);
}

std::uint64_t Decoder::count(std::string_view name, std::size_t most) {
  const std::size_t at = reader_.offset();
  const auto elements = unsigned_integer(name, 1);
  if (elements <= most) return elements;
  refuse(protocol_.codes.limit, name, at, fmt::format("at most {} elements, not {}", most, elements));
  return 0;
}

Status Decoder::finish() const {
  TRY_STATUS(Status(status_));
  return reader_.expect_done("frame");
}

}  // namespace warifu::frames
