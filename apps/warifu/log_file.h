#pragma once

#include <string>

#include "base/bytes.h"

namespace warifu::cli {

// All bytes of a file, or of the standard input ("-"). "file.read", "file.size" (more than `size_max`).
// Files of sysfs and securityfs say that they have no size, so it is read until the end.
Result<Bytes> read_log_file(const std::string& path, std::size_t size_max);

}  // namespace warifu::cli
