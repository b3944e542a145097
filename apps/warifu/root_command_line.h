#pragma once

#include <string>

#include "warifu/command_line.h"
#include "warifu/root_secret.h"

// What the commands of a ceremony have in common.
namespace warifu::cli {

void add_secret(CLI::App* verb, RootSecretOptions& options);
// The options of the new secret begin with `prefix`.
void add_new_secret(CLI::App* verb, const std::string& prefix, NewRootSecretOptions& options);

}  // namespace warifu::cli
