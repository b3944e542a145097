#include "crypto/system_entropy.h"

#include <openssl/rand.h>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {

void SystemEntropy::fill(std::span<std::uint8_t> out) {
  require(RAND_bytes(out.data(), to_int(out.size())) == 1, "RAND_bytes");
}

}  // namespace warifu::crypto
