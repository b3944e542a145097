#include "warifu/command_line.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>

namespace warifu::cli {

namespace {

// What `warifu --help` alone lists and each command takes.
constexpr std::string_view kEverywhere =
    "With --json: JSON, for programs. Other options of every command: warifu --help";

}  // namespace

CLI::App* add_noun(CLI::App& app, const char* name, const char* help) {
  auto* noun = app.add_subcommand(name, help)->require_subcommand(1);
  noun->footer(fmt::format("With an example: warifu {} SUBCOMMAND --help", name));
  return noun;
}

CLI::App* add_verb(CLI::App* noun, const char* name, const char* help, const char* example) {
  auto* verb = noun->add_subcommand(name, help);
  verb->footer(fmt::format("Example: {}\n{}", example, kEverywhere));
  return verb;
}

void add_verb(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
              Status (*run)(const Context&)) {
  add_verb(noun, name, help, example)->callback([=, &action] { action = run; });
}

void add_verb_on(CLI::App* noun, const char* name, const char* option, const char* help, const char* example,
                 Action& action, Status (*run)(const Context&, const std::string&)) {
  auto* verb = add_verb(noun, name, help, example);
  const auto id = std::make_shared<std::string>();
  verb->add_option(std::string(option) + ",id", *id, "The ID")->required()->type_name("ID");
  verb->callback([=, &action] { action = [=](const Context& context) { return run(context, *id); }; });
}

}  // namespace warifu::cli
