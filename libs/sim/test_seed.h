#pragma once

#include <cstdint>

namespace warifu::sim {

// The seed of a test that draws its input: a new one at each run, and printed, also when the test passes.
// WARIFU_TEST_SEED repeats a run; one that is no number of 32 bits aborts.
std::uint32_t drawn_seed();

}  // namespace warifu::sim
