#include "warifu/ek_reader.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <iostream>

#include "base/bytes.h"

namespace warifu::cli {
namespace {

// An EK on RSA-4096 has about 600 bytes.
constexpr std::size_t kEkSizeMax = 4096;
// With an EK certificate, of which the server takes 8 KiB.
constexpr std::size_t kLineMax = 16 * 1024;

// Both structures begin with a size or a type that is far below 0x0900; no text begins so.
bool begins_a_structure(int first) {
  return first >= 0 && first < 0x09;
}

Error unreadable(std::string message, std::string where) {
  return {ErrorKind::kUnavailable, "file.read", std::move(message), std::move(where)};
}

void trim_end(std::string& line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
    line.pop_back();
}

}  // namespace

Result<EkReader> EkReader::open(const std::string& path) {
  EkReader reader(path);
  if (path == "-") return reader;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a folder", path);
  reader.file_.open(path, std::ios::binary);
  if (!reader.file_) return unreadable("it could not be opened", path);
  return reader;
}

Result<std::optional<ReadEk>> EkReader::next() {
  if (line_ == 0 && begins_a_structure(in().peek())) {
    TRY(auto ek, read_binary());
    return std::optional(ReadEk{std::move(ek)});
  }
  std::string line;
  for (;;) {
    TRY(const bool is_there, read_line(line));
    if (!is_there) return std::optional<ReadEk>();
    trim_end(line);
    if (line.empty() || line.front() == '#') continue;
    const auto blank = line.find(' ');
    ReadEk read{line.substr(0, blank)};
    if (blank != std::string::npos) read.certificate = line.substr(line.find_first_not_of(' ', blank));
    if (!from_base64(read.ek)) return refusal("expected an EK in base64");
    if (!from_base64(read.certificate)) return refusal("expected the EK's certificate in base64 after it");
    return std::optional(std::move(read));
  }
}

std::string EkReader::place() const {
  return fmt::format("{}:{}", path_ == "-" ? "standard input" : path_, line_);
}

std::istream& EkReader::in() {
  return path_ == "-" ? std::cin : file_;
}

Result<std::string> EkReader::read_binary() {
  ++line_;
  std::array<char, kEkSizeMax + 1> buffer;
  in().read(buffer.data(), buffer.size());
  const auto size = static_cast<std::size_t>(in().gcount());
  if (size > kEkSizeMax) return refusal(fmt::format("expected one EK of at most {} bytes", kEkSizeMax));
  return to_base64(as_bytes(std::string_view(buffer.data(), size)));
}

Result<bool> EkReader::read_line(std::string& line) {
  ++line_;
  std::array<char, kLineMax> buffer;
  in().getline(buffer.data(), buffer.size());
  if (in().bad()) return unreadable("it could not be read", place());
  const auto count = static_cast<std::size_t>(in().gcount());
  if (in().fail() && count > 0) return refusal(fmt::format("a line has at most {} bytes", buffer.size() - 1));
  if (in().fail()) return false;
  line.assign(buffer.data(), in().eof() ? count : count - 1);  // the end of the line counts
  return true;
}

Error EkReader::refusal(std::string message) const {
  return invalid_input("ek.file", std::move(message), place());
}

}  // namespace warifu::cli
