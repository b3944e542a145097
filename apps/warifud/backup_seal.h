#pragma once

#include <filesystem>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "keystore/master_key.h"

namespace warifu::warifud {

// A file or folder, by its path in the folder that was listed.
struct Listed {
  std::filesystem::path path;
  bool is_folder = false;
};

// All that is in `folder`, a folder before what it holds. kRefused "backup.kind" if it is no folder, or holds what is
// neither a regular file nor a folder: a link would lead out of what is sealed. kUnavailable "file.read".
Result<std::vector<Listed>> list_folder(const std::filesystem::path& folder);

// Writes SHA256SUMS, as sha256sum does, of all files that are in the folder, and SHA256SUMS.seal: its digest under the
// master key. What is written later is not covered.
Status seal_backup(const std::filesystem::path& folder, const keystore::MasterKey& master_key, Entropy& entropy);

// kRefused "backup.changed", naming the file, unless all files but `uncovered` are there as they were sealed, and no
// others.
Status check_seal(const std::filesystem::path& folder, const keystore::MasterKey& master_key,
                  const std::filesystem::path& uncovered);

}  // namespace warifu::warifud
