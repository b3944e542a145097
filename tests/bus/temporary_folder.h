#pragma once

#include <string>

#include "base/temp_dir.h"

namespace warifu::bus {

// For sockets, whose path has at most 107 bytes: so not below a long TMPDIR.
class TemporaryFolder : public TempDir {
 public:
  TemporaryFolder() : TempDir("/tmp") {}
  std::string path(const std::string& name) const { return (TempDir::path() / name).string(); }
};

}  // namespace warifu::bus
