#include "warifu/log_file.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>

namespace warifu::cli {

Result<Bytes> read_log_file(const std::string& path, std::size_t size_max) {
  const auto close = [](std::FILE* file) { return file == stdin ? 0 : std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"), close);
  if (file == nullptr) return invalid_input("file.read", "it could not be opened", path);
  Bytes content;
  std::array<std::uint8_t, 64 * 1024> block;
  std::size_t size = 0;
  while ((size = std::fread(block.data(), 1, block.size(), file.get())) > 0) {
    if (size > size_max - content.size())
      return invalid_input("file.size", fmt::format("expected at most {} bytes", size_max), path);
    content.insert(content.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size));
  }
  if (std::ferror(file.get()) != 0) return invalid_input("file.read", "it could not be read", path);
  return content;
}

}  // namespace warifu::cli
