#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.h"

namespace warifu::sim {

// Logs, quotes and certificates of real machines, which are no part of this project: the folder WARIFU_TEST_DATA, by
// default ../shared/data beside the sources. nullopt if it is not there: a test that needs it then says so and is
// skipped. A WARIFU_TEST_DATA that names no folder aborts: whoever sets it wants those tests.
std::optional<std::filesystem::path> test_data();

// All bytes of a file. Aborts if it cannot be read.
Bytes read_test_file(const std::filesystem::path& path);

}  // namespace warifu::sim
