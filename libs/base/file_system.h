#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu {

enum class FileMode { kPublic, kPrivate };  // 0644, 0600

// The steps of a durable write, one by one, so that a test can lose power between any two. The real one is
// keystore::kernel_files(); sim::PowerLossFileSystem forgets what was not synced. Paths are absolute or relative to
// the working folder. Errors: kUnavailable "file.read" and "file.write", naming the file and the system's reason.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // nullopt: there is no such file. At most 1 MiB.
  virtual Result<std::optional<Bytes>> read(const std::string& path) = 0;
  // Writes a new file in the folder of `target`, under a name that no other writer has, and returns that name. Nothing
  // is left of it when this fails, and nothing is safe yet when it succeeds.
  virtual Result<std::string> write_new(const std::string& target, ByteView content, FileMode mode) = 0;
  // Writes `content` after the first `size` bytes of the file, which is made (0600) if it is not there; what stood
  // after them is gone. When this fails the first `size` bytes are as they were.
  virtual Status append(const std::string& path, std::uint64_t size, ByteView content) = 0;
  // The names in a folder, in no order; none when there is no such folder.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  // The file's content is safe from a power cut; its name is after sync_folder().
  virtual Status sync_file(const std::string& path) = 0;
  // Replaces `to` if it is there.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // Done too when there was no such file.
  virtual Status remove(const std::string& path) = 0;
  // Names that came, changed and went in the folder of `path` are safe from a power cut.
  virtual Status sync_folder_of(const std::string& path) = 0;
};

}  // namespace warifu
