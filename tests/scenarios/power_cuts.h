#pragma once

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

// Seeded lives in which the power fails, for the tests of this folder.
namespace warifu::scenarios {

// Whether the disk does what it says: each of these tests has a twin that loses something when it does not.
enum class Syncs : std::uint8_t { kHonoured, kIgnored };

// A sanitizer makes each cut ten times as slow, and looks for something else.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t kLivesDivisor = 10;
#else
inline constexpr std::uint64_t kLivesDivisor = 1;
#endif

inline constexpr std::size_t kDevices = 4;
inline constexpr int kCutsPerLife = 5;

// What the first of `lives` lives finds that finds something, and its seed; else "". WARIFU_SEED=N lives one life
// again.
template <class Live>
std::string first_finding(std::uint64_t lives, const Live& live) {
  const char* chosen = std::getenv("WARIFU_SEED");
  const std::uint64_t first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
  const std::uint64_t last = chosen != nullptr ? first : lives / kLivesDivisor;
  for (std::uint64_t seed = first; seed <= last; ++seed)
    if (const std::string found = live(seed); !found.empty())
      return "WARIFU_SEED=" + std::to_string(seed) + ": " + found;
  return {};
}

// Nothing is logged: each power cut would be an error.
class PowerCuts : public testing::Test {
 protected:
  PowerCuts() { spdlog::set_level(spdlog::level::off); }
  ~PowerCuts() override { spdlog::set_level(spdlog::level::info); }
};

}  // namespace warifu::scenarios
