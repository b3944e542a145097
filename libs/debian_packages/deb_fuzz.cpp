#include <cstdlib>

#include "debian_packages/deb.h"
#include "debian_packages/repository.h"

using namespace warifu;
using namespace warifu::debian_packages;

// Every path that is told is absolute and leads nowhere else, however the archive came to name it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const DebLimits limits{.unpacked_bytes = 1 << 20, .members = 1000, .path_size = 4096};
  const auto files = read_deb({.name = "f.deb", .bytes = ByteView(data, size)}, FileLayout::kMergedUsr, limits);
  if (!files) return 0;
  for (const PackagedFile& file : *files)
    if (!file.path.starts_with('/') || file.path.find("/../") != std::string::npos || file.path.ends_with("/.."))
      std::abort();
  return 0;
}
