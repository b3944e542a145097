#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "frames/protocol.h"
#include "wire/reader.h"

namespace warifu::frames {

// Reads the fields of a message: the counterpart of Encoder. After the first error nothing more is read.
class Decoder {
 public:
  Decoder(const Protocol& protocol, wire::Reader reader) : protocol_(protocol), reader_(reader) {}

  template <class Unsigned>
  void integer(std::string_view name, Unsigned& value) {
    value = static_cast<Unsigned>(unsigned_integer(name, sizeof value));
  }
  void flag(std::string_view name, bool& value);
  void bytes(std::string_view name, Bytes& value, std::size_t least, std::size_t most);
  void bytes(std::string_view name, SecretBytes& value, std::size_t least, std::size_t most);
  void text(std::string_view name, std::string& value, std::size_t most);
  void ascending(std::string_view name, std::vector<std::uint8_t>& value, std::uint8_t limit);
  void list(std::string_view name, std::vector<Bytes>& value, std::size_t most, std::size_t most_bytes);
  void texts(std::string_view name, std::vector<std::string>& value, std::size_t most, std::size_t most_bytes);

  // The first error; "wire.trailing" if bytes are left over.
  Status finish() const;

 private:
  std::uint64_t unsigned_integer(std::string_view name, std::size_t size);
  // Of a list's elements; 0 after an error.
  std::uint64_t count(std::string_view name, std::size_t most);
  ByteView sized(std::string_view name, std::size_t least, std::size_t most);
  void refuse(std::string_view code, std::string_view name, std::size_t offset, std::string_view expected);

  const Protocol& protocol_;
  wire::Reader reader_;
  Status status_;
};

}  // namespace warifu::frames
