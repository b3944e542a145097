#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "frames/protocol.h"
#include "wire/writer.h"

namespace warifu::frames {

// Only text that cannot do harm in a log line or a terminal: no control characters.
bool is_plain_text(std::string_view text);
// What Encoder and Decoder demand of a list of numbers, and how they say so.
bool is_ascending(const std::vector<std::uint8_t>& numbers, std::uint8_t limit);
std::string expected_ascending(std::uint8_t limit);

// Writes the fields of a message. After the first field outside its limits nothing more is written.
class Encoder {
 public:
  // There is room for the largest body, so that no buffer that was outgrown keeps a secret.
  explicit Encoder(const Protocol& protocol);

  template <class Unsigned>
  void integer(std::string_view, Unsigned value) {
    unsigned_integer(value, sizeof value);
  }
  void flag(std::string_view, bool value) { unsigned_integer(value ? 1 : 0, 1); }
  void bytes(std::string_view name, const Bytes& value, std::size_t least, std::size_t most);
  void bytes(std::string_view name, const SecretBytes& value, std::size_t least, std::size_t most);
  void text(std::string_view name, const std::string& value, std::size_t most);
  // Numbers below `limit`, ascending.
  void ascending(std::string_view name, const std::vector<std::uint8_t>& value, std::uint8_t limit);
  void list(std::string_view name, const std::vector<Bytes>& value, std::size_t most, std::size_t most_bytes);
  void texts(std::string_view name, const std::vector<std::string>& value, std::size_t most, std::size_t most_bytes);

  // The body, or what was wrong with a field.
  Result<SecretBytes> take();

 private:
  void unsigned_integer(std::uint64_t value, std::size_t size);
  void sized(std::string_view name, ByteView value, std::size_t least, std::size_t most);
  bool count(std::string_view name, std::size_t elements, std::size_t most);
  // Whether to go on.
  bool require(bool condition, std::string_view code, std::string_view name, std::string_view expected);

  const Protocol& protocol_;
  wire::Writer out_;
  Status status_;
};

}  // namespace warifu::frames
