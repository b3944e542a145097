#include "tcb_protocol/decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "tcb_protocol/encoder.h"
#include "tcb_protocol/limits.h"

namespace warifu::tcb_protocol {

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
  if (read > 1) refuse("tcb_protocol.value", name, at, fmt::format("0 or 1, not {}", read));
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
  refuse("tcb_protocol.limit", name, at, fmt::format("{} to {} bytes, not {}", least, most, value->size()));
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
  if (!is_plain_text(value)) refuse("tcb_protocol.value", name, at, "text without control characters");
}

void Decoder::pcrs(std::string_view name, std::vector<std::uint8_t>& value) {
  const std::size_t at = reader_.offset();
  value = to_bytes(sized(name, 0, kPcrCount));
  const bool ascends = std::ranges::adjacent_find(value, std::ranges::greater_equal()) == value.end();
  if (!ascends || (!value.empty() && value.back() >= kPcrCount))
    refuse("tcb_protocol.value", name, at, "PCR numbers from 0 to 23, ascending");
}

void Decoder::list(std::string_view name, std::vector<Bytes>& value, std::size_t most, std::size_t most_bytes) {
  const std::size_t at = reader_.offset();
  const auto count = unsigned_integer(name, 1);
  if (count > most) refuse("tcb_protocol.limit", name, at, fmt::format("at most {} elements, not {}", most, count));
  for (std::uint64_t i = 0; i < count && status_; ++i)
    value.push_back(to_bytes(sized(name, 0, most_bytes)));
}

Status Decoder::finish() const {
  TRY_STATUS(Status(status_));
  return reader_.expect_done("frame");
}

}  // namespace warifu::tcb_protocol
