#pragma once

#include <filesystem>

#include "base/result.h"

namespace warifu::store {

// Held by the one warifud that serves a data directory. The kernel lets go of it when the process ends, however it
// ends.
class DataDirLock {
 public:
  // kConflict "data_dir.locked" names the process that holds it.
  static Result<DataDirLock> acquire(const std::filesystem::path& data_dir);

  DataDirLock(DataDirLock&& other) noexcept;
  DataDirLock& operator=(DataDirLock&&) = delete;
  ~DataDirLock();

 private:
  explicit DataDirLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace warifu::store
