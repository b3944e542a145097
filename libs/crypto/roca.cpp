#include "crypto/roca.h"

#include <openssl/core_names.h>

#include <array>
#include <numeric>
#include <optional>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

constexpr unsigned kGenerator = 65537;
// The odd primes up to 167; M of every size of key has them all. First those where the generator's group is the
// smallest part of all remainders: one sound key in 1,000 comes past the first three.
constexpr std::array<std::uint32_t, 38> kPrimes = {97,  37,  11,  79,  61,  73,  127, 151, 13,  17,  19,  53, 71,
                                                   103, 107, 109, 157, 3,   5,   7,   23,  29,  31,  41,  43, 47,
                                                   59,  67,  83,  89,  101, 113, 131, 137, 139, 149, 163, 167};

// Long division by 48 bits a step, which leaves 16 for the remainder.
constexpr std::size_t kStep = 6;
constexpr std::uint64_t kDivisorMax = 0xffff;

std::uint64_t remainder(ByteView number, std::uint64_t divisor) {
  std::uint64_t rest = 0;
  while (!number.empty()) {
    const std::size_t left_over = number.size() % kStep;
    const ByteView taken = number.first(left_over == 0 ? kStep : left_over);
    std::uint64_t digit = 0;
    for (const std::uint8_t byte : taken)
      digit = digit << 8 | byte;
    rest = (rest << (8 * taken.size()) | digit) % divisor;
    number = number.subspan(taken.size());
  }
  return rest;
}

// A long division costs as much as all else, so one is made for as many primes as a divisor may be the product of.
class Remainders {
 public:
  explicit Remainders(ByteView number) : number_(number) {}
  // Modulo kPrimes[i], asked with i rising from 0.
  unsigned modulo_prime(std::size_t i) {
    if (i == end_) divide_from(i);
    return static_cast<unsigned>(rest_ % kPrimes[i]);
  }

 private:
  void divide_from(std::size_t i) {
    std::uint64_t product = 1;
    for (end_ = i; end_ < kPrimes.size() && product * kPrimes[end_] <= kDivisorMax; ++end_)
      product *= kPrimes[end_];
    rest_ = remainder(number_, product);
  }

  ByteView number_;
  std::size_t end_ = 0;  // of the primes that rest_ is good for
  std::uint64_t rest_ = 0;
};

// a modulo `order`, the order of the generator's group.
struct Congruence {
  unsigned exponent;
  unsigned order;
};

std::optional<Congruence> discrete_logarithm(unsigned value, unsigned prime) {
  std::optional<unsigned> exponent;
  unsigned order = 0;
  unsigned power = 1;
  do {
    if (power == value) exponent = order;
    power = power * (kGenerator % prime) % prime;
    ++order;
  } while (power != 1);
  if (!exponent) return std::nullopt;
  return Congruence{*exponent, order};
}

std::optional<std::array<Congruence, kPrimes.size()>> logarithms(ByteView modulus) {
  std::array<Congruence, kPrimes.size()> out{};
  Remainders remainders(modulus);
  for (std::size_t i = 0; i < kPrimes.size(); ++i) {
    const auto found = discrete_logarithm(remainders.modulo_prime(i), kPrimes[i]);
    if (!found) return std::nullopt;
    out[i] = *found;
  }
  return out;
}

}  // namespace

bool passes_roca_filter(ByteView modulus) {
  return logarithms(modulus).has_value();
}

bool is_roca_key(ByteView modulus) {
  const auto found = logarithms(modulus);
  if (!found) return false;
  // Congruences have one solution exactly when each two agree modulo the greatest common divisor of their orders.
  for (std::size_t i = 0; i < found->size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const unsigned common = std::gcd((*found)[i].order, (*found)[k].order);
      if ((*found)[i].exponent % common != (*found)[k].exponent % common) return false;
    }
  }
  return true;
}

bool is_roca_key(const PublicKey& key) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_is_a(key.native(), "RSA") != 1) return false;
  require(EVP_PKEY_get_bn_param(key.native(), OSSL_PKEY_PARAM_RSA_N, &number) == 1, "EVP_PKEY_get_bn_param");
  const BignumHandle modulus(number);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(modulus.get())));
  BN_bn2bin(modulus.get(), bytes.data());
  return is_roca_key(ByteView(bytes));
}

}  // namespace warifu::crypto
