#include "crypto/roca.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <array>

#include "crypto/openssl_handle.h"
#include "crypto/private_key.h"
#include "crypto/public_key.h"
#include "crypto/system_entropy.h"
#include "crypto/test_roca_key.h"

namespace warifu::crypto {
namespace {

// Written apart from the table of the filter, which has another order.
constexpr std::array<BN_ULONG, 38> kPrimes = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                              47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                              107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

Bytes bytes_of(const BIGNUM* number) {
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return bytes;
}

// 65537^1234567 modulo the product M of those primes, and so many times M more.
struct WeakNumber {
  BignumHandle product{BN_new()};
  BignumHandle number{BN_new()};

  explicit WeakNumber(BN_ULONG times) {
    const BnCtxHandle context(BN_CTX_new());
    const BignumHandle base(BN_new());
    const BignumHandle exponent(BN_new());
    BN_one(product.get());
    for (const BN_ULONG prime : kPrimes)
      BN_mul_word(product.get(), prime);
    BN_set_word(base.get(), 65537);
    BN_set_word(exponent.get(), 1234567);
    BN_mod_exp(number.get(), base.get(), exponent.get(), product.get(), context.get());
    for (BN_ULONG i = 0; i < times; ++i)
      BN_add(number.get(), number.get(), product.get());
  }
};

// Every size modulo the six bytes of a step: zeros before a number change nothing.
TEST(Roca, FindsWeakNumbersOfEverySize) {
  for (BN_ULONG times = 0; times < 1 << 20; times = 3 * times + 1) {
    const Bytes bytes = bytes_of(WeakNumber(times).number.get());
    EXPECT_TRUE(passes_roca_filter(bytes)) << to_hex(bytes);
    EXPECT_TRUE(is_roca_key(bytes)) << to_hex(bytes);
    Bytes padded(6);
    padded.insert(padded.end(), bytes.begin(), bytes.end());
    EXPECT_TRUE(is_roca_key(padded));
    for (std::size_t zeros = 1; zeros < 6; ++zeros)
      EXPECT_TRUE(is_roca_key(ByteView(padded).subspan(zeros))) << zeros;
  }
}

TEST(Roca, FindsAWeakKeyOf2048Bits) {
  const auto key = PublicKey::from_pem(kRocaKeyPem);
  ASSERT_TRUE(key);
  BIGNUM* modulus = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(key->native(), OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
  Bytes bytes = bytes_of(BignumHandle(modulus).get());
  EXPECT_TRUE(is_roca_key(bytes));
  EXPECT_TRUE(is_roca_key(*key));
  EXPECT_FALSE(is_roca_key(PrivateKey::generate(KeyKind::kEcP256).public_key()));
  bytes.back() ^= 2;
  EXPECT_FALSE(is_roca_key(bytes));
}

// Zero is in no group: a number that is zero modulo one prime, and weak modulo all others, tells whether that prime is
// looked at.
TEST(Roca, LooksAtEachPrime) {
  for (const BN_ULONG prime : kPrimes) {
    const WeakNumber weak(0);
    const BignumHandle step(BN_dup(weak.product.get()));
    ASSERT_EQ(BN_div_word(step.get(), prime), 0U);
    while (BN_mod_word(weak.number.get(), prime) != 0)
      BN_add(weak.number.get(), weak.number.get(), step.get());
    EXPECT_FALSE(passes_roca_filter(bytes_of(weak.number.get()))) << prime;
    EXPECT_FALSE(is_roca_key(bytes_of(weak.number.get()))) << prime;
  }
}

// Modulo each prime in the group, by no one exponent: plus one in the exponent modulo 97 alone.
TEST(Roca, TheExactTestWantsOneExponent) {
  const WeakNumber weak(0);
  const BignumHandle step(BN_dup(weak.product.get()));
  BN_div_word(step.get(), 97);
  const BN_ULONG wanted = BN_mod_word(weak.number.get(), 97) * (65537 % 97) % 97;
  while (BN_mod_word(weak.number.get(), 97) != wanted)
    BN_add(weak.number.get(), weak.number.get(), step.get());
  EXPECT_TRUE(passes_roca_filter(bytes_of(weak.number.get())));
  EXPECT_FALSE(is_roca_key(bytes_of(weak.number.get())));
}

TEST(Roca, LeavesSoundKeysAlone) {
  SystemEntropy entropy;
  for (int i = 0; i < 1000; ++i) {
    Bytes number(256 + static_cast<std::size_t>(i % 4));
    entropy.fill(number);
    EXPECT_FALSE(is_roca_key(number)) << to_hex(number);
  }
}

}  // namespace
}  // namespace warifu::crypto
