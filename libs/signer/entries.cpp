#include "signer/entries.h"

#include "crypto/digest.h"

namespace warifu::signer {

Status require_server(const Caller& caller) {
  if (caller.is_server) return {};
  return refused("signer.denied", "only the server's user may ask for this");
}

std::string sha256_of(ByteView bytes) {
  return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes());
}

}  // namespace warifu::signer
