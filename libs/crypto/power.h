#pragma once

#include <cstdint>

struct bignum_st;
struct bignum_ctx;
struct bn_mont_ctx_st;

namespace warifu::crypto {

// number ^ exponent, in place, modulo the modulus of `montgomery`, which `number` is below. The exponent is public and
// odd. By square and multiply: the last factor is the plain number, so the product leaves the Montgomery form by
// itself. BN_mod_exp_mont() makes two multiplications more, a tenth of all for 65537.
void raise(bignum_st* number, std::uint32_t exponent, bn_mont_ctx_st* montgomery, bignum_ctx* context);

}  // namespace warifu::crypto
