#include <memory>

#include "warifu/application_key_commands.h"
#include "warifu/command_line.h"

namespace warifu::cli {
namespace {

using Run = Status (*)(const Context&, const ApplicationKeyOptions&);

std::shared_ptr<ApplicationKeyOptions> add_one(CLI::App* verb, Action& action, Run run) {
  auto options = std::make_shared<ApplicationKeyOptions>();
  verb->add_option("registration_id", options->registration_id, "The device's registration ID")
      ->required()
      ->type_name("ID");
  verb->add_option("name", options->name, "What its applications call the key")->required()->type_name("NAME");
  verb->callback([=, &action] { action = [=](const Context& context) { return run(context, *options); }; });
  return options;
}

CLI::Option* add_key_file(CLI::App* verb, const std::shared_ptr<ApplicationKeyOptions>& options) {
  return verb->add_option("--key-file", options->key_file, "The key, 16 to 64 bytes in base64")->type_name("FILE");
}

}  // namespace

void add_application_key_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "application-key", "Keys for the applications of a device, which only its TPM can use");
  auto* put = add_verb(noun, "put", "Give a device a key, or another version of it",
                       "warifu application-key put meter-1 mqtt --generate");
  const auto given = add_one(put, action, put_application_key);
  auto* source = put->add_option_group("source")->require_option(1);
  source->add_flag("--generate", given->generate, "The server makes it, and it is printed once");
  source->add_option("--key-file", given->key_file, "The key, 16 to 64 bytes in base64")->type_name("FILE");
  put->add_option("--capped-by-pcr", given->capped_by_pcr,
                  "It works only until this PCR (12 to 15) is extended in a boot: `warifu-agent application-key cap`")
      ->type_name("N");

  auto* rotate = add_verb(noun, "rotate", "Give a device the next version of a key; the one before it stays until then",
                          "warifu application-key rotate meter-1 mqtt");
  add_key_file(rotate, add_one(rotate, action, rotate_application_key));

  add_one(add_verb(noun, "revoke", "End every version of a key", "warifu application-key revoke meter-1 mqtt"), action,
          revoke_application_key);
  add_one(add_verb(noun, "show", "Show the versions of a key", "warifu application-key show meter-1 mqtt"), action,
          show_application_key);
  add_verb_on(noun, "list", "--registration-id", "List the keys of a device", "warifu application-key list meter-1",
              action, list_application_keys);
}

}  // namespace warifu::cli
