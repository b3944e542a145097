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

// With a slash, or ".", at its end, a symbolic link would be followed.
fs::path without_slash(fs::path path) {
  while (path.has_parent_path() && (!path.has_filename() || path.filename() == ".") && path != path.parent_path())
    path = path.parent_path();
  return path;
}

Status sync_folder(const fs::path& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || ::fsync(file.get()) != 0) return failed("file.write", "sync the folder", folder);
  return {};
}

// Whether it was not there before.
Result<bool> make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST) return false;
    return failed("file.write", "make the folder", path);
  }
  TRY_STATUS(sync_folder(parent_of(path.has_filename() ? path : path.parent_path())));
  return true;
}

Status write_content(const File& file, const fs::path& path, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("file.write", "write", path);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status write_all(const File& file, const fs::path& path, ByteView content, mode_t mode) {
  if (::fchmod(file.get(), mode) != 0) return failed("file.write", "set the mode of", path);
  return write_content(file, path, content);
}

Result<Bytes> read_all(const fs::path& path) {
  // Not blocking: nobody may be at the other end of a pipe.
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
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

class KernelFiles final : public FileSystem {
 public:
  Result<std::optional<Bytes>> read(const std::string& path) override {
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::nullopt;
    TRY(auto content, read_all(path));
    return content;
  }
  Result<std::string> write_new(const std::string& target, ByteView content, FileMode mode) override {
    // A file of its own, of mode 0600: neither another writer's, nor one that is open elsewhere or leads elsewhere.
    std::string fresh = target + ".XXXXXX" + kUnfinishedSuffix;
    const File file(::mkostemps(fresh.data(), static_cast<int>(std::strlen(kUnfinishedSuffix)), O_CLOEXEC));
    if (!file.is_open()) return failed("file.write", "write", target);
    if (auto written = write_all(file, target, content, mode == FileMode::kPrivate ? 0600 : 0644); !written) {
      ::unlink(fresh.c_str());
      return written.error();
    }
    return fresh;
  }
  Status append(const std::string& path, std::uint64_t size, ByteView content) override {
    const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open() || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0 ||
        ::lseek(file.get(), 0, SEEK_END) != static_cast<off_t>(size))
      return failed("file.write", "write", path);
    auto written = write_content(file, path, content);
    // Half a line would be taken for the end of the file by whoever reads it.
    if (!written && ::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return failed("file.write", "cut", path);
    return written;
  }
  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::vector<std::string> names;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
      names.push_back(entry->path().filename().string());
    if (!error || error == std::errc::no_such_file_or_directory) return names;
    return Error{ErrorKind::kUnavailable, "file.read", fmt::format("cannot list {}: {}", folder, error.message())};
  }
  Status sync_file(const std::string& path) override {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open() || ::fsync(file.get()) != 0) return failed("file.write", "sync", path);
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("file.write", "replace", to);
    return {};
  }
  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("file.write", "remove", path);
    return {};
  }
  Status sync_folder_of(const std::string& path) override { return sync_folder(parent_of(path)); }
};

}  // namespace

FileSystem& kernel_files() {
  static KernelFiles files;
  return files;
}

Status write_file(FileSystem& files, const std::string& path, ByteView content, FileMode mode) {
  TRY(const auto fresh, files.write_new(path, content, mode));
  Status done = files.sync_file(fresh);
  if (done) done = files.rename(fresh, path);
  if (!done) {
    // What went wrong is said above; what is left of the file harms nobody.
    static_cast<void>(files.remove(fresh).has_value());
    return done;
  }
  return files.sync_folder_of(path);
}

Status write_file(const fs::path& path, ByteView content, FileMode mode) {
  return write_file(kernel_files(), path.string(), content, mode);
}

Status remove_file(FileSystem& files, const std::string& path) {
  TRY_STATUS(files.remove(path));
  return files.sync_folder_of(path);
}

Status remove_unfinished(const fs::path& folder) {
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error))
    if (entry->path().extension() == kUnfinishedSuffix) TRY_STATUS(kernel_files().remove(entry->path().string()));
  if (!error) return {};
  return Error{ErrorKind::kUnavailable, "file.read",
               fmt::format("cannot list {}: {}", folder.string(), error.message())};
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
  TRY(const bool is_new, make_folder(path));
  if (is_new) return {};
  const File folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!folder.is_open() || ::fstat(folder.get(), &status) != 0) return failed("file.write", "make the folder", path);
  const bool is_private = (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  if (!is_private && ::fchmod(folder.get(), 0700) != 0) return failed("file.write", "close to others", path);
  return {};
}

Status make_or_take_private_folder(const fs::path& path) {
  const fs::path plain = without_slash(path);
  TRY(const bool is_new, make_folder(plain));
  if (is_new) return {};
  const auto refuse = [&](std::string_view why) {
    return invalid_input("file.folder",
                         fmt::format("{} is there already, and {}: name another one", path.string(), why));
  };
  const File folder(::open(plain.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder.is_open() && (errno == ENOTDIR || errno == ELOOP)) return refuse("it is no folder");
  struct stat status {};
  if (!folder.is_open() || ::fstat(folder.get(), &status) != 0) return failed("file.write", "open the folder", path);
  if (status.st_uid != ::geteuid()) return refuse("it belongs to another user");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return refuse("others than its owner may enter it");
  return {};
}

}  // namespace warifu::keystore
