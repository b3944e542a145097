#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace warifu::device_config {

// A file that decides whom this process trusts. It is read only if nobody but root and this process's own user could
// have written it, or put another in its place: it and every folder above it belong to one of the two, and neither
// group nor others may write them (a folder with the sticky bit, like /tmp, is allowed).
// Errors: kUnavailable "config.file" when it cannot be read, kRefused "config.writable" naming what others can write,
// kInvalidInput "config.size" above `size_max`.
Result<std::string> read_trusted_file(const std::filesystem::path& path, std::size_t size_max);

// The same for a file that holds a secret: kRefused "config.readable" when everybody may read it. Its group may, as the
// one that reads it need not own it.
Result<SecretBytes> read_trusted_secret(const std::filesystem::path& path, std::size_t size_max);

}  // namespace warifu::device_config
