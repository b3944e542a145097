#pragma once

#include <filesystem>

#include "base/result.h"

namespace warifu::store {

// Copies a database that may be in use: `target` holds one consistent state of it, in one file, on disk. It must not
// exist (kConflict "backup.exists"), and does not after an error.
Status backup_database(const std::filesystem::path& source, const std::filesystem::path& target);

// Whether a database is whole and of this program's schema. kInternal "store.corrupt" names the first finding; the
// refusals of the schema are those of check_schema().
Status check_database(const std::filesystem::path& path);

}  // namespace warifu::store
