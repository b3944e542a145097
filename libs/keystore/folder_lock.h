#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace warifu::keystore {

// A folder that one process uses (flock(2)). The kernel gives it back when the process ends, however it does.
class FolderLock {
 public:
  // kConflict "state.in_use" when another process has it; kUnavailable "file.read".
  static Result<FolderLock> acquire(const std::filesystem::path& folder);

  // Waits for it. For what a process does in a moment.
  static Result<FolderLock> wait(const std::filesystem::path& folder);

  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  static Result<FolderLock> open(const std::filesystem::path& folder);
  int descriptor_;
};

}  // namespace warifu::keystore
