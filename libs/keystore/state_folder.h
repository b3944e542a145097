#pragma once

#include <string>

#include "base/file_system.h"
#include "base/state_files.h"

namespace warifu::keystore {

// A program's state files in one folder, which is there already and which only its user may enter. A name is one of
// letters, digits, '-' and '.', and does not begin with a dot. kInvalidInput "state.name".
class StateFolder final : public StateFiles {
 public:
  // `files` outlives it.
  StateFolder(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  Result<std::optional<Bytes>> read(std::string_view name) override;
  Status replace(std::string_view name, ByteView content) override;
  Status remove(std::string_view name) override;

 private:
  Result<std::string> path_of(std::string_view name) const;

  FileSystem& files_;
  const std::string folder_;
};

}  // namespace warifu::keystore
