#include <cstdlib>

#include "debian_packages/repository.h"

using namespace warifu;
using namespace warifu::debian_packages;

namespace {

void check(const IndexedFile& file) {
  if (file.path.empty() || file.path.front() == '/' || file.path.starts_with("../") ||
      file.path.find("/../") != std::string::npos)
    std::abort();
}

}  // namespace

// What is fetched lies below the mirror.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(ByteView(data, size));
  if (const auto release = parse_release(text))
    for (const auto& file : release->files)
      check(file);
  if (const auto packages = parse_packages(text, "Packages"))
    for (const auto& package : *packages)
      check(package.deb);
  if (const auto installed = parse_dpkg_status(text, "status"))
    for (const auto& package : *installed)
      if (package.name.empty() || package.version.empty()) std::abort();
  return 0;
}
