#include "tpm_types/name.h"

#include <fmt/format.h>

#include <algorithm>

#include "tpm_types/algorithm.h"
#include "wire/reader.h"

namespace warifu::tpm {

Name::Name(crypto::HashAlgorithm algorithm, ByteView digest) : algorithm_(algorithm) {
  const auto id = static_cast<std::uint16_t>(algorithm_of(algorithm));
  buffer_[0] = static_cast<std::uint8_t>(id >> 8);
  buffer_[1] = static_cast<std::uint8_t>(id & 0xff);
  std::ranges::copy(digest, buffer_.begin() + 2);
}

Name Name::of(crypto::HashAlgorithm name_algorithm, ByteView tpmt_public) {
  return Name(name_algorithm, crypto::digest(name_algorithm, {tpmt_public}).bytes());
}

Result<Name> Name::parse(ByteView bytes) {
  wire::Reader reader(bytes);
  TRY(const std::uint16_t id, reader.u16("nameAlg"));
  TRY(const crypto::HashAlgorithm algorithm, parse_hash(id, wire::place("nameAlg", 0)));
  if (reader.remaining() != crypto::digest_size(algorithm)) {
    return invalid_input(
        "tpm.name",
        fmt::format("expected a digest of {} bytes, {} came", crypto::digest_size(algorithm), reader.remaining()),
        wire::place("digest", 2));
  }
  return Name(algorithm, bytes.subspan(2));
}

}  // namespace warifu::tpm
