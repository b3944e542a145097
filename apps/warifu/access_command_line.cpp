#include <memory>

#include "warifu/command_line.h"

namespace warifu::cli {
namespace {

void add_login(CLI::App& app, Action& action) {
  auto* command = add_verb(&app, "login", "Exchange a bootstrap token for an access token, kept in the profile",
                           "warifu --ca /var/lib/warifu/trust/root.pem login --token-file token.txt");
  const auto options = std::make_shared<LoginOptions>();
  command->add_option("--token-file", options->token_file, "File with the bootstrap token; - is standard input")
      ->required();
  command->add_option("--name", options->name, "A name for the token in the audit log (admin)");
  command
      ->add_option("--permission", options->permissions, "Only this permission, like enrollment:read; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--lifetime-seconds", options->lifetime_seconds,
                      "How long the access token is good for (12 hours)");
  command->callback([=, &action] { action = [=](const Context& context) { return login(context, *options); }; });
}

void add_service_key(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "service-key", "Keys of the DPS service API");
  auto* create = add_verb(noun, "create", "Make a key and print its connection string, once",
                          "warifu service-key create --name provisioning-service");
  const auto options = std::make_shared<ServiceKeyOptions>();
  create->add_option("--name", options->name, "The key's name")->required();
  create
      ->add_option("--permission", options->permissions,
                   "Only this permission, like enrollment:read; may be repeated (what the service API demands)")
      ->allow_extra_args(false);
  create->callback(
      [=, &action] { action = [=](const Context& context) { return create_service_key(context, *options); }; });
  add_verb(noun, "list", "List the keys, without their values", "warifu service-key list", action, list_service_keys);
  add_verb_on(noun, "delete", "--name", "Delete a key: what it signed is refused from then on",
              "warifu service-key delete --name provisioning-service", action, delete_service_key);
}

}  // namespace

void add_access_commands(CLI::App& app, Action& action) {
  add_login(app, action);
  add_verb(add_noun(app, "id-scope", "The ID scope that devices are told"), "show", "Show it", "warifu id-scope show",
           action, show_id_scope);
  add_service_key(app, action);
}

}  // namespace warifu::cli
