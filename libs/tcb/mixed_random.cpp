#include "tcb/mixed_random.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/kdf.h"

namespace warifu::tcb {
namespace {

constexpr std::size_t kPartSize = 32;

}  // namespace

Result<SecretBytes> mixed_random(Tpm& tpm, Entropy& entropy, std::string_view purpose, std::size_t size) {
  TRY(const SecretBytes from_tpm, tpm.random(kPartSize));
  if (from_tpm.size() != kPartSize)
    return Error{ErrorKind::kUnavailable, "tpm.random",
                 fmt::format("expected {} random bytes of the TPM, {} came", kPartSize, from_tpm.size())};
  SecretBytes both(2 * kPartSize);
  std::ranges::copy(from_tpm.reveal(), both.reveal_writable().begin());
  entropy.fill(both.reveal_writable().subspan(kPartSize));
  return crypto::hkdf_sha256(both, as_bytes("warifu mixed random"), as_bytes(purpose), size);
}

}  // namespace warifu::tcb
