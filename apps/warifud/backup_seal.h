#pragma once

#include <filesystem>

#include "base/entropy.h"
#include "base/result.h"
#include "keystore/master_key.h"

namespace warifu::warifud {

// Writes SHA256SUMS, as sha256sum does, of all files that are in the folder, and SHA256SUMS.seal: its digest under the
// master key. What is written later is not covered.
Status seal_backup(const std::filesystem::path& folder, const keystore::MasterKey& master_key, Entropy& entropy);

// kRefused "backup.changed", naming the file, unless all files but `uncovered` are there as they were sealed, and no
// others.
Status check_seal(const std::filesystem::path& folder, const keystore::MasterKey& master_key,
                  const std::filesystem::path& uncovered);

}  // namespace warifu::warifud
