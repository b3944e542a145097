#include "warifu/evidence_commands.h"

#include <memory>

namespace warifu::cli {

void add_verb_on_file(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
                      Status (*run)(const Context&, const std::string&)) {
  auto* verb = add_verb(noun, name, help, example);
  const auto file = std::make_shared<std::string>();
  verb->add_option("file", *file, "The log; - is the standard input")->required()->type_name("FILE");
  verb->callback([=, &action] { action = [=](const Context& context) { return run(context, *file); }; });
}

}  // namespace warifu::cli
