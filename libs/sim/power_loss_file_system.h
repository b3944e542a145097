#pragma once

#include "base/file_system.h"
#include "sim/power_loss_disk.h"

namespace warifu::sim {

// A program's files on a disk that can lose power: only what was synced survives for certain.
class PowerLossFileSystem final : public FileSystem {
 public:
  explicit PowerLossFileSystem(PowerLossDisk& disk) : disk_(disk) {}

  Result<std::optional<Bytes>> read(const std::string& path) override;
  Result<std::string> write_new(const std::string& target, ByteView content, FileMode mode) override;
  Status append(const std::string& path, std::uint64_t size, ByteView content) override;
  // The disk has one directory: those whose names begin with the folder's.
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status sync_file(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  // The disk has one directory.
  Status sync_folder_of(const std::string& path) override;

 private:
  PowerLossDisk& disk_;
  std::uint64_t new_files_ = 0;
};

}  // namespace warifu::sim
