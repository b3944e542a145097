#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "warifu/commands.h"

// IMA measurement lists, read without a server (docs/protocols/ima.md).
namespace warifu::cli {

// What the registers hold after the list, under both rules that kernels have. kInvalidInput if the list is refused.
Status replay_ima_list(const Context& context, const std::string& file);
// The entries. What an entry's template digest proves and what it only says are told apart.
Status show_ima_list(const Context& context, const std::string& file);

void add_ima_commands(CLI::App& app, std::function<Status(const Context&)>& action);

}  // namespace warifu::cli
