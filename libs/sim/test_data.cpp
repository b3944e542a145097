#include "sim/test_data.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace warifu::sim {

std::optional<std::filesystem::path> test_data() {
  const char* chosen = std::getenv("WARIFU_TEST_DATA");
  const std::filesystem::path folder = chosen != nullptr && *chosen != '\0'
                                           ? std::filesystem::path(chosen)
                                           : std::filesystem::path(WARIFU_SOURCE_DIR) / "../shared/data";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return std::nullopt;
  return std::filesystem::canonical(folder);
}

Bytes read_test_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::abort();
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return to_bytes(as_bytes(text));
}

}  // namespace warifu::sim
