#include <cstddef>
#include <cstdint>

// Must be found within a second: scripts/fuzz runs it first, to know that it would see a failure.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] == '!') __builtin_trap();
  return 0;
}
