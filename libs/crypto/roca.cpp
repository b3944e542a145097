#include "crypto/roca.h"

#include <array>
#include <numeric>
#include <optional>

namespace warifu::crypto {
namespace {

constexpr unsigned kGenerator = 65537;
// The odd primes up to 167; M of every size of key has them all.
constexpr std::array<unsigned, 38> kPrimes = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                              47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                              107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

unsigned remainder(ByteView number, unsigned prime) {
  unsigned rest = 0;
  for (const std::uint8_t byte : number)
    rest = (rest << 8 | byte) % prime;
  return rest;
}

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
  for (std::size_t i = 0; i < kPrimes.size(); ++i) {
    const auto found = discrete_logarithm(remainder(modulus, kPrimes[i]), kPrimes[i]);
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

}  // namespace warifu::crypto
