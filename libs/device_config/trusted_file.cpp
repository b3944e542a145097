#include "device_config/trusted_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace warifu::device_config {
namespace {

namespace fs = std::filesystem;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Error unreadable(const fs::path& path, const std::string& reason) {
  return {ErrorKind::kUnavailable, "config.file", fmt::format("cannot read {}: {}", path.string(), reason)};
}

Error refuse(const fs::path& path, std::string_view why) {
  return {ErrorKind::kRefused, "config.writable",
          fmt::format("{} decides whom this device trusts, but {}: give it to root and take the write permission of "
                      "group and others away",
                      path.string(), why)};
}

// Whoever owns the root folder can replace everything anyway. In a user namespace that is not the user 0.
bool is_trusted(uid_t owner) {
  struct stat root {};
  return owner == 0 || owner == ::geteuid() || (::stat("/", &root) == 0 && owner == root.st_uid);
}

Status check(const fs::path& path, const struct stat& status) {
  if (!is_trusted(status.st_uid)) return refuse(path, fmt::format("it belongs to the user {}", status.st_uid));
  const bool sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky_folder)
    return refuse(path, fmt::format("its mode {:04o} lets others write it", status.st_mode & 07777));
  return {};
}

Status check_folders_above(const fs::path& file) {
  fs::path folder = file;
  do {
    folder = folder.parent_path();
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) return unreadable(folder, std::strerror(errno));
    TRY_STATUS(check(folder, status));
  } while (folder.has_relative_path());
  return {};
}

Status check_secrecy(const fs::path& path, const struct stat& status) {
  if ((status.st_mode & S_IROTH) == 0) return {};
  return Error{ErrorKind::kRefused, "config.readable",
               fmt::format("{} holds a secret, but its mode {:04o} lets everybody read it: take that away (chmod o-r), "
                           "and change the secret",
                           path.string(), status.st_mode & 07777)};
}

Error too_large(const fs::path& path, std::size_t size_max) {
  return invalid_input("config.size", fmt::format("{} is larger than {} bytes", path.string(), size_max));
}

// Takes memory for what the file holds, not for what it may hold.
Result<std::string> read_all(const File& file, const fs::path& path, std::size_t told_size, std::size_t size_max) {
  if (told_size > size_max) return too_large(path, size_max);
  std::string content(told_size + 1, '\0');
  std::size_t filled = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, std::strerror(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled > size_max) return too_large(path, size_max);
    // It grew meanwhile.
    if (filled == content.size()) content.resize(std::min(2 * filled, size_max + 1));
  }
  content.resize(filled);
  return content;
}

using Check = Status (*)(const fs::path&, const struct stat&);

Result<std::string> read_checked(const fs::path& path, std::size_t size_max, Check check_more) {
  std::error_code error;
  // Without links: each folder that is checked is one that leads to the file.
  const fs::path real = fs::canonical(path, error);
  if (error) return unreadable(path, error.message());
  TRY_STATUS(check_folders_above(real));
  const File file(::open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return unreadable(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return unreadable(path, "it is no regular file");
  TRY_STATUS(check(real, status));
  TRY_STATUS(check_more(real, status));
  return read_all(file, path, static_cast<std::size_t>(status.st_size), size_max);
}

}  // namespace

Result<std::string> read_trusted_file(const fs::path& path, std::size_t size_max) {
  return read_checked(path, size_max, [](const fs::path&, const struct stat&) { return Status(); });
}

Result<SecretBytes> read_trusted_secret(const fs::path& path, std::size_t size_max) {
  TRY(std::string text, read_checked(path, size_max, check_secrecy));
  auto secret = SecretBytes::copy_of(as_bytes(text));
  wipe(text);
  return secret;
}

}  // namespace warifu::device_config
