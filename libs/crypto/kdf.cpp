#include "crypto/kdf.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/openssl_handle.h"

namespace warifu::crypto {

SecretBytes hkdf_sha256(const SecretBytes& key, ByteView salt, ByteView info, std::size_t size) {
  constexpr auto kHash = HashAlgorithm::kSha256;
  require(size <= 255 * digest_size(kHash), "the size of an HKDF output");
  Digest extracted = hmac(kHash, salt, {key.reveal()});

  SecretBytes out(size);
  Digest block(kHash);
  ByteView previous;
  std::uint8_t counter = 0;
  for (std::span<std::uint8_t> rest = out.reveal_writable(); !rest.empty();) {
    ++counter;
    block = hmac(kHash, extracted.bytes(), {previous, info, ByteView(&counter, 1)});
    previous = block.bytes();
    const std::size_t taken = std::min(rest.size(), previous.size());
    std::ranges::copy(previous.first(taken), rest.begin());
    rest = rest.subspan(taken);
  }
  wipe(extracted.writable());
  wipe(block.writable());
  return out;
}

Result<SecretBytes> scrypt(const SecretBytes& passphrase, ByteView salt, ScryptCost cost, std::size_t size) {
  constexpr std::uint64_t kMaxMemory = std::uint64_t{256} << 20;
  SecretBytes out(size);
  const ByteView password = passphrase.reveal();
  const int done = EVP_PBE_scrypt(as_text(password).data(), password.size(), salt.data(), salt.size(), cost.n, cost.r,
                                  cost.p, kMaxMemory + (std::uint64_t{1} << 20), out.reveal_writable().data(), size);
  if (done == 1) return out;
  ERR_clear_error();
  return invalid_input(
      "crypto.scrypt",
      fmt::format("expected costs within 256 MiB of memory, N = {}, r = {}, p = {} came", cost.n, cost.r, cost.p));
}

}  // namespace warifu::crypto
