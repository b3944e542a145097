#include <cstdlib>

#include "base/bytes.h"
#include "declarations/azure_dps.h"
#include "declarations/writer.h"

using namespace warifu;

// What is converted is a declaration that we take.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  declarations::AzureExport azure;
  if (!azure.add(as_text({data, size}), "f")) return 0;
  const auto no_file = [](const std::string&) -> Result<std::string> { return invalid_input("fuzz.file", "none"); };
  for (const auto& one : azure.convert().declarations)
    if (!declarations::read_declarations(declarations::to_yaml(one), "g", no_file)) std::abort();
  return 0;
}
