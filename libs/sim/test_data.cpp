#include "sim/test_data.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace warifu::sim {

std::optional<std::filesystem::path> test_data() {
  const char* chosen = std::getenv("WARIFU_TEST_DATA");
  const bool is_chosen = chosen != nullptr && *chosen != '\0';
  const std::filesystem::path folder =
      is_chosen ? std::filesystem::path(chosen) : std::filesystem::path(WARIFU_SOURCE_DIR) / "../shared/data";
  std::error_code error;
  const bool is_there = std::filesystem::is_directory(folder, error);
  if (!is_there && is_chosen) {
    std::fprintf(stderr, "WARIFU_TEST_DATA is %s, which is no folder\n", chosen);
    std::abort();
  }
  if (!is_there) return std::nullopt;
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
