#include "crypto/power.h"

#include <bit>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {

void raise(BIGNUM* number, std::uint32_t exponent, BN_MONT_CTX* montgomery, BN_CTX* context) {
  BN_CTX_start(context);
  BIGNUM* const factor = BN_CTX_get(context);
  BIGNUM* const product = BN_CTX_get(context);
  require(product != nullptr && BN_to_montgomery(factor, number, montgomery, context) == 1, "BN_to_montgomery");
  const auto multiply = [&](const BIGNUM* of, const BIGNUM* by) {
    require(BN_mod_mul_montgomery(product, of, by, montgomery, context) == 1, "BN_mod_mul_montgomery");
  };
  const BIGNUM* so_far = factor;
  for (int bit = static_cast<int>(std::bit_width(exponent)) - 2; bit >= 0; --bit) {
    multiply(so_far, so_far);
    so_far = product;
    if ((exponent >> bit & 1) != 0) multiply(so_far, bit == 0 ? number : factor);
  }
  BN_swap(number, product);
  BN_CTX_end(context);
}

}  // namespace warifu::crypto
