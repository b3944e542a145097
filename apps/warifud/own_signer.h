#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "keystore/data_dir.h"

namespace warifu::warifud {

// Runs a command of the warifu-signer beside this program to its end. "init.signer", of the kind that its exit code
// says.
Status run_signer(std::vector<std::string> command);

// Lets the signer in the data directory take what an offline root wrote.
Status install_at_own_signer(const keystore::DataDir& data_dir, const std::filesystem::path& from);

}  // namespace warifu::warifud
