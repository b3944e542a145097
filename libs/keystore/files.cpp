#include "keystore/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace warifu::keystore {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileSizeMax = 1 << 20;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

Error failed(std::string_view code, std::string_view what, const fs::path& path) {
  return {ErrorKind::kUnavailable, code, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno))};
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

Status sync_folder(const fs::path& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || ::fsync(file.get()) != 0) return failed("file.write", "sync the folder", folder);
  return {};
}

Status write_and_sync(const File& file, const fs::path& path, ByteView content, mode_t mode) {
  if (::fchmod(file.get(), mode) != 0) return failed("file.write", "set the mode of", path);
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("file.write", "write", path);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) return failed("file.write", "sync", path);
  return {};
}

Result<Bytes> read_all(const fs::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) return failed("file.read", "read", path);
  if (!S_ISREG(status.st_mode) || static_cast<std::size_t>(status.st_size) > kFileSizeMax)
    return Error{ErrorKind::kUnavailable, "file.read",
                 fmt::format("cannot read {}: not a regular file of at most {} bytes", path.string(), kFileSizeMax)};
  Bytes content(static_cast<std::size_t>(status.st_size));
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("file.read", "read", path);
    filled += static_cast<std::size_t>(got);
  }
  return content;
}

}  // namespace

Status write_file(const fs::path& path, ByteView content, FileMode mode) {
  // A file of its own, of mode 0600: neither another writer's, nor one that is open elsewhere or leads elsewhere.
  std::string fresh = path.string() + ".XXXXXX" + kUnfinishedSuffix;
  const File file(::mkostemps(fresh.data(), static_cast<int>(std::strlen(kUnfinishedSuffix)), O_CLOEXEC));
  if (!file.is_open()) return failed("file.write", "write", path);
  Status done = write_and_sync(file, path, content, mode == FileMode::kPrivate ? 0600 : 0644);
  if (done && ::rename(fresh.c_str(), path.c_str()) != 0) done = failed("file.write", "replace", path);
  if (!done) {
    ::unlink(fresh.c_str());
    return done;
  }
  return sync_folder(parent_of(path));
}

Result<std::string> read_file(const fs::path& path) {
  TRY(const auto content, read_all(path));
  return std::string(as_text(content));
}

Result<SecretBytes> read_secret_file(const fs::path& path) {
  TRY(auto content, read_all(path));
  return SecretBytes(std::move(content));
}

Status make_private_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_folder(parent_of(path.has_filename() ? path : path.parent_path()));
  if (errno != EEXIST) return failed("file.write", "make the folder", path);
  const File folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!folder.is_open() || ::fstat(folder.get(), &status) != 0) return failed("file.write", "make the folder", path);
  const bool is_private = (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  if (!is_private && ::fchmod(folder.get(), 0700) != 0) return failed("file.write", "close to others", path);
  return {};
}

}  // namespace warifu::keystore
