#include <cstdlib>

#include "base/bytes.h"
#include "declarations/declaration.h"
#include "declarations/writer.h"

using namespace warifu;

// What is accepted is read back as it was from what is written of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto no_file = [](const std::string&) -> Result<std::string> { return invalid_input("fuzz.file", "none"); };
  const auto all = declarations::read_declarations(as_text({data, size}), "f", no_file);
  if (!all) return 0;
  for (const auto& one : *all) {
    const auto back = declarations::read_declarations(declarations::to_yaml(one), "g", no_file);
    if (!back || back->size() != 1 || back->front().id != one.id || back->front().eks != one.eks) std::abort();
  }
  return 0;
}
