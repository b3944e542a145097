#include <memory>

#include "warifu/command_line.h"
#include "warifu/declaration_commands.h"

namespace warifu::cli {
namespace {

void add_apply(CLI::App& app, Action& action) {
  auto* command = add_verb(&app, "apply", "Make enrollments and groups be as files declare them",
                           "warifu apply -f fleet/ --dry-run");
  const auto options = std::make_shared<ApplyOptions>();
  command->add_option("-f,--file", options->paths, "YAML, JSON Lines (.jsonl), a folder of them, or - for YAML")
      ->required()
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_flag("--dry-run", options->is_dry_run, "Tell what would change, and change nothing");
  command->add_flag("--quiet", options->is_quiet, "Print only what was refused, and the sum");
  command->callback([=, &action] { action = [=](const Context& context) { return apply(context, *options); }; });
}

void add_diff(CLI::App& app, Action& action) {
  auto* command =
      add_verb(&app, "diff", "Tell what `apply` would change; exit code 1 if anything", "warifu diff -f fleet/");
  const auto options = std::make_shared<ApplyOptions>();
  command->add_option("-f,--file", options->paths, "As of apply")
      ->required()
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_flag("--quiet", options->is_quiet, "Print only what would be refused, and the sum");
  command->callback([=, &action] { action = [=](const Context& context) { return diff(context, *options); }; });
}

void add_export(CLI::App& app, Action& action) {
  auto* command = add_verb(&app, "export", "Write all enrollments and groups so that `apply` takes them back",
                           "warifu export --out fleet.yaml");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("--out", options->out_file, "Write here (standard output)")->type_name("FILE");
  command->add_option("--format", options->format, "yaml or jsonl (yaml)")->check(CLI::IsMember({"yaml", "jsonl"}));
  command->add_flag("--with-keys", options->with_keys, "With symmetric keys (permission enrollment-key:read); audited");
  command->callback(
      [=, &action] { action = [=](const Context& context) { return export_declarations(context, *options); }; });
}

void add_migrate(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "migrate", "From other services");
  auto* command = add_verb(noun, "azure-dps", "Make files for `apply` out of what Azure DPS exports",
                           "warifu migrate azure-dps --in enrollments.json --in groups.json --out fleet");
  const auto options = std::make_shared<MigrateOptions>();
  command->add_option("--in", options->in_files, "JSON of `az iot dps enrollment[-group] list|show -o json`")
      ->required()
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--out", options->out_folder, "Write fleet.yaml (or .jsonl) and notes.txt into this folder")
      ->type_name("DIR");
  command->add_option("--format", options->format, "yaml or jsonl (yaml)")->check(CLI::IsMember({"yaml", "jsonl"}));
  command->callback(
      [=, &action] { action = [=](const Context& context) { return migrate_azure_dps(context, *options); }; });
}

}  // namespace

void add_declaration_commands(CLI::App& app, Action& action) {
  add_apply(app, action);
  add_diff(app, action);
  add_export(app, action);
  add_migrate(app, action);
}

}  // namespace warifu::cli
