#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace warifu::bus {

// For sockets, whose path has at most 107 bytes; goes away with its content.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = "/tmp/warifu-bus-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace warifu::bus
