#include "store/data_dir_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace warifu::store {
namespace {

Error failure(const std::filesystem::path& path, const char* doing) {
  return {ErrorKind::kUnavailable, "data_dir.io",
          fmt::format("cannot {}: {}", doing, std::generic_category().message(errno)), path.string()};
}

// What the holder wrote there. It may not have come to it yet.
std::string holder(int descriptor) {
  std::array<char, 20> digits{};
  const ssize_t size = pread(descriptor, digits.data(), digits.size(), 0);
  std::string pid(digits.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  pid.erase(std::min(pid.find_first_not_of("0123456789"), pid.size()));
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Result<DataDirLock> DataDirLock::acquire(const std::filesystem::path& data_dir) {
  const auto path = data_dir / "warifud.lock";
  // CLOEXEC: a child that outlives us must not keep the lock.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return failure(path, "open the lock file");
  DataDirLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failure(path, "lock the data directory");
    return Error{ErrorKind::kConflict, "data_dir.locked",
                 fmt::format("{} serves this data directory: stop it, or name another directory", holder(descriptor)),
                 data_dir.string()};
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, pid.data(), pid.size(), 0) < 0)
    return failure(path, "write the lock file");
  return lock;
}

DataDirLock::DataDirLock(DataDirLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {
}

DataDirLock::~DataDirLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace warifu::store
