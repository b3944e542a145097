#include "sim/test_seed.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

namespace warifu::sim {
namespace {

std::uint32_t chosen_seed(std::string_view text) {
  std::uint32_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error == std::errc() && end == text.data() + text.size()) return seed;
  std::fprintf(stderr, "WARIFU_TEST_SEED is no number of 32 bits\n");
  std::abort();
}

}  // namespace

std::uint32_t drawn_seed() {
  const char* chosen = std::getenv("WARIFU_TEST_SEED");
  const bool is_chosen = chosen != nullptr && *chosen != '\0';
  const std::uint32_t seed = is_chosen ? chosen_seed(chosen) : std::random_device()();
  std::printf("seed %u (WARIFU_TEST_SEED=%u repeats it)\n", seed, seed);
  std::fflush(stdout);  // a test that ends by force has told it
  return seed;
}

}  // namespace warifu::sim
