#include "signing_keys/key_files.h"

#include <fmt/format.h>

#include "keystore/files.h"

namespace warifu::signing_keys {
namespace fs = std::filesystem;

Result<bool> has_file(const fs::path& path) {
  std::error_code error;
  const bool is_there = fs::exists(path, error);
  if (!error) return is_there;
  return Error{ErrorKind::kUnavailable, "file.read", fmt::format("cannot read {}: {}", path.string(), error.message())};
}

Result<bool> publish(const fs::path& path, std::string_view content) {
  FileSystem& files = keystore::kernel_files();
  TRY(const auto fresh, files.write_new(path.string(), as_bytes(content), FileMode::kPrivate));
  Status done = files.sync_file(fresh);
  std::error_code error;
  // link(2), unlike rename(2), replaces nothing.
  if (done) fs::create_hard_link(fresh, path, error);
  const Status removed = files.remove(fresh);
  TRY_STATUS(done);
  if (error == std::errc::file_exists) return false;
  if (error)
    return Error{ErrorKind::kUnavailable, "file.write",
                 fmt::format("cannot write {}: {}", path.string(), error.message())};
  TRY_STATUS(removed);
  TRY_STATUS(files.sync_folder_of(path.string()));
  return true;
}

}  // namespace warifu::signing_keys
