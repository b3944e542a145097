#include "warifu/evidence_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace warifu::cli {
namespace {

namespace fs = std::filesystem;

Result<Bytes> read_stream(std::istream& in, const std::string& path, std::size_t expected, std::size_t size_max) {
  Bytes content;
  content.reserve(expected);
  std::array<char, 64 * 1024> buffer{};
  while (in.read(buffer.data(), buffer.size()), in.gcount() > 0) {
    const auto size = static_cast<std::size_t>(in.gcount());
    if (size > size_max - content.size())
      return invalid_input("file.size", fmt::format("expected at most {} bytes", size_max), path);
    content.insert(content.end(), buffer.begin(), buffer.begin() + in.gcount());
  }
  if (in.bad()) return invalid_input("file.read", "it could not be read", path);
  return content;
}

Result<Bytes> read_standard_input(std::size_t size_max) {
  if (std::cin.eof())  // a second "-" would be an empty file, whatever it was meant to be
    return invalid_input("file.read", "only one file can be the standard input, which was read already",
                         "standard input");
  return read_stream(std::cin, "standard input", 0, size_max);
}

}  // namespace

Result<Bytes> read_evidence(const std::string& path, std::size_t size_max) {
  if (path == "-") return read_standard_input(size_max);
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return invalid_input("file.read", "there is no such file", path);
  if (fs::is_directory(status)) return invalid_input("file.read", "it is a folder", path);
  const std::size_t size = fs::is_regular_file(status) ? fs::file_size(path, error) : 0;  // a pipe has none
  std::ifstream in(path, std::ios::binary);
  if (!in) return invalid_input("file.read", "it could not be opened", path);
  return read_stream(in, path, std::min(size, size_max), size_max);
}

}  // namespace warifu::cli
