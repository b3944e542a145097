#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "signing_keys/key_place.h"

// What the places in a folder have in common.
namespace warifu::signing_keys {

// kUnavailable "file.read" when that cannot be told: a folder that we may not enter is none without keys.
Result<bool> has_file(const std::filesystem::path& path);

// Writes a file, mode 0600, that was not there before: whole or not at all, also after a power cut, and never over
// another one, whoever else writes at the same time. False when there is one already. kUnavailable "file.write".
Result<bool> publish(const std::filesystem::path& path, std::string_view content);

}  // namespace warifu::signing_keys
