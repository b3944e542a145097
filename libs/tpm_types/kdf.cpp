#include "tpm_types/kdf.h"

#include <algorithm>
#include <array>

namespace warifu::tpm {
namespace {

std::array<std::uint8_t, 4> big_endian(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

// block(counter) | block(counter + 1) | …, cut to size, counting from 1.
template <class Block>
SecretBytes concatenate(std::size_t bits, Block&& block) {
  SecretBytes out(bits / 8);
  std::span<std::uint8_t> rest = out.reveal_writable();
  for (std::uint32_t counter = 1; !rest.empty(); ++counter) {
    crypto::Digest next = block(big_endian(counter));
    const std::size_t taken = std::min(rest.size(), next.size());
    std::ranges::copy(next.bytes().first(taken), rest.begin());
    rest = rest.subspan(taken);
    wipe(next.writable());
  }
  return out;
}

}  // namespace

SecretBytes kdfa(crypto::HashAlgorithm hash, ByteView key, std::string_view label, ByteView context_u,
                 ByteView context_v, std::size_t bits) {
  return concatenate(bits, [&](const std::array<std::uint8_t, 4>& counter) {
    return crypto::hmac(hash, key,
                        {counter, as_bytes(label), context_u, context_v, big_endian(static_cast<std::uint32_t>(bits))});
  });
}

SecretBytes kdfe(crypto::HashAlgorithm hash, const SecretBytes& z, std::string_view label, ByteView party_u_info,
                 ByteView party_v_info, std::size_t bits) {
  return concatenate(bits, [&](const std::array<std::uint8_t, 4>& counter) {
    return crypto::digest(hash, {counter, z.reveal(), as_bytes(label), party_u_info, party_v_info});
  });
}

}  // namespace warifu::tpm
