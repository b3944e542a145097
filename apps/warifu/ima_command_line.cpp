#include "warifu/command_line.h"
#include "warifu/ima_commands.h"

namespace warifu::cli {
namespace {

void add_file_verb(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
                   Status (*run)(const Context&, const std::string&)) {
  auto* verb = add_verb(noun, name, help, example);
  const auto file = std::make_shared<std::string>();
  verb->add_option("file", *file, "binary_runtime_measurements or ascii_runtime_measurements; - is standard input")
      ->required()
      ->type_name("FILE");
  verb->callback([=, &action] { action = [=](const Context& context) { return run(context, *file); }; });
}

}  // namespace

void add_ima_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "ima", "IMA measurement lists, without a server");
  add_file_verb(noun, "replay", "What the PCRs hold after the list",
                "warifu ima replay binary_runtime_measurements --json", action, replay_ima_list);
  add_file_verb(noun, "show", "The entries of the list", "warifu ima show binary_runtime_measurements", action,
                show_ima_list);
}

}  // namespace warifu::cli
