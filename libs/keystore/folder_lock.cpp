#include "keystore/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace warifu::keystore {

Result<FolderLock> FolderLock::open(const std::filesystem::path& folder) {
  FolderLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.descriptor_ >= 0) return lock;
  return Error{ErrorKind::kUnavailable, "file.read",
               fmt::format("cannot open the folder {}: {}", folder.string(), std::strerror(errno))};
}

Result<FolderLock> FolderLock::wait(const std::filesystem::path& folder) {
  TRY(auto lock, open(folder));
  while (::flock(lock.descriptor_, LOCK_EX) != 0)
    if (errno != EINTR)
      return Error{ErrorKind::kUnavailable, "file.read",
                   fmt::format("cannot lock the folder {}: {}", folder.string(), std::strerror(errno))};
  return lock;
}

Result<FolderLock> FolderLock::acquire(const std::filesystem::path& folder) {
  TRY(auto lock, open(folder));
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0)
    return Error{ErrorKind::kConflict, "state.in_use",
                 fmt::format("another process uses {}: stop it first", folder.string())};
  return lock;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace warifu::keystore
