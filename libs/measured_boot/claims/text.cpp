#include "measured_boot/claims/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "measured_boot/event_log/cursor.h"

namespace warifu::measured_boot {
namespace {

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [point](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += {static_cast<char>(0xC0 | point >> 6), tail(0)};
  } else if (point < 0x10000) {
    out += {static_cast<char>(0xE0 | point >> 12), tail(6), tail(0)};
  } else {
    out += {static_cast<char>(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
  }
}

}  // namespace

Guid guid_of(ByteView sixteen_bytes) {
  Guid guid{};
  std::ranges::copy(sixteen_bytes.first(guid.size()), guid.begin());
  return guid;
}

std::string to_string(const Guid& guid) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{}-{}", Cursor::load<std::uint32_t>(guid.data()),
                     Cursor::load<std::uint16_t>(guid.data() + 4), Cursor::load<std::uint16_t>(guid.data() + 6),
                     to_hex(ByteView(guid).subspan(8, 2)), to_hex(ByteView(guid).subspan(10)));
}

Guid parse_guid(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '-');
  const auto bytes = from_hex(digits);
  if (!bytes || bytes->size() != 16) std::abort();
  Guid guid = guid_of(*bytes);
  std::reverse(guid.begin(), guid.begin() + 4);
  std::reverse(guid.begin() + 4, guid.begin() + 6);
  std::reverse(guid.begin() + 6, guid.begin() + 8);
  return guid;
}

std::optional<std::string> utf8_of_utf16(ByteView bytes) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::uint32_t point = Cursor::load<std::uint16_t>(bytes.data() + i);
    if (point == 0) break;
    if (0xD800 <= point && point < 0xE000) {
      if (point >= 0xDC00 || i + 4 > bytes.size()) return std::nullopt;
      const std::uint32_t low = Cursor::load<std::uint16_t>(bytes.data() + i + 2);
      if (low < 0xDC00 || low >= 0xE000) return std::nullopt;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
      i += 2;
    }
    append_utf8(text, point);
  }
  return text;
}

std::string_view until_nul(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  return text.substr(0, text.find('\0'));
}

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c >= ' ' && c <= '~') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);  // log data may be megabytes of them
    out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
  return out;
}

}  // namespace warifu::measured_boot
