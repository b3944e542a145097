#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "warifu/commands.h"

// Fleets as files: apply, diff, export, and files out of what Azure DPS exports (docs/formats/declarations.md).
namespace warifu::cli {

struct ApplyOptions {
  std::vector<std::string> paths;  // YAML, JSON Lines, folders of them, "-"
  bool is_dry_run = false;
  bool is_quiet = false;  // only what was refused, and the sum
};
// kInvalidInput if a file does not parse: nothing was sent then. kRefused "apply.refused" if the server refused some.
Status apply(const Context& context, const ApplyOptions& options);
// A dry run. kRefused "diff.changes" if anything would change.
Status diff(const Context& context, const ApplyOptions& options);

struct ExportOptions {
  std::string out_file;         // empty: standard output
  std::string format = "yaml";  // or "jsonl"
  bool with_keys = false;
};
Status export_declarations(const Context& context, const ExportOptions& options);

struct MigrateOptions {
  std::vector<std::string> in_files;
  std::string out_folder;  // empty: standard output
  std::string format = "yaml";
};
// kRefused "migrate.lost" if some of it does not carry over.
Status migrate_azure_dps(const Context& context, const MigrateOptions& options);

void add_declaration_commands(CLI::App& app, std::function<Status(const Context&)>& action);

}  // namespace warifu::cli
