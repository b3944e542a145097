#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>

#include "warifu/commands.h"

namespace warifu::cli {
namespace {

// What the chosen subcommand does.
using Action = std::function<Status(const Context&)>;

CLI::App* add_noun(CLI::App& app, const char* name, const char* help) {
  return app.add_subcommand(name, help)->require_subcommand(1);
}

// A verb that needs nothing but the context.
void add_verb(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
              Status (*run)(const Context&)) {
  auto* verb = noun->add_subcommand(name, help);
  verb->footer(std::string("Example: ") + example);
  verb->callback([=, &action] { action = run; });
}

// A verb about one thing: `option` names it; it may also stand alone as the only word.
void add_verb_on(CLI::App* noun, const char* name, const char* option, const char* help, const char* example,
                 Action& action, Status (*run)(const Context&, const std::string&)) {
  auto* verb = noun->add_subcommand(name, help);
  verb->footer(std::string("Example: ") + example);
  const auto id = std::make_shared<std::string>();
  verb->add_option(std::string(option) + ",id", *id, "The ID")->required()->type_name("ID");
  verb->callback([=, &action] { action = [=](const Context& context) { return run(context, *id); }; });
}

void add_login(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("login", "Exchange a bootstrap token for an access token, kept in the profile");
  command->footer("Example: warifu --ca /var/lib/warifu/trust/root.pem login --token-file token.txt");
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
  auto* create = noun->add_subcommand("create", "Make a key and print its connection string, once");
  create->footer("Example: warifu service-key create --name provisioning-service");
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

void add_enrollment(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "enrollment", "Devices that may come");
  auto* create = noun->add_subcommand("create", "Enroll a device by the endorsement key of its TPM");
  create->footer("Example: warifu enrollment create --registration-id meter-1 --tpm-ek ek.pub");
  const auto options = std::make_shared<EnrollmentOptions>();
  create->add_option("--registration-id", options->registration_id, "What the device calls itself")->required();
  create
      ->add_option("--tpm-ek", options->tpm_ek_file,
                   "The EK as TPM2B_PUBLIC or TPMT_PUBLIC, binary or base64 (tpm2_createek -u)")
      ->required();
  create->add_flag("--allow-software-keys", options->allow_software_keys,
                   "State that its TPM may be software: a test device");
  create->callback(
      [=, &action] { action = [=](const Context& context) { return create_enrollment(context, *options); }; });
  add_verb(noun, "list", "List the enrollments", "warifu enrollment list", action, list_enrollments);
  add_verb_on(noun, "show", "--registration-id", "Show one enrollment",
              "warifu enrollment show --registration-id meter-1", action, show_enrollment);
  add_verb_on(noun, "delete", "--registration-id", "Delete an enrollment: the device is refused from then on",
              "warifu enrollment delete --registration-id meter-1", action, delete_enrollment);
}

void add_device(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "device", "Devices that came and proved themselves");
  add_verb(noun, "list", "List the devices", "warifu device list", action, list_devices);
  add_verb_on(noun, "show", "--registration-id,--device-id", "Show one device", "warifu device show meter-1", action,
              show_device);
  add_verb_on(noun, "hub-key", "--registration-id,--device-id",
              "Show a device's hub key, for a hub that is not ours; audited", "warifu device hub-key meter-1", action,
              show_hub_key);
  auto* escrow = noun->add_subcommand(
      "escrow", "Show or fetch what a device deposited: the lockout password of its TPM, encrypted; audited");
  escrow->footer("Example: warifu device escrow meter-1 --out meter-1.cms");
  const auto options = std::make_shared<EscrowOptions>();
  escrow->add_option("--registration-id,--device-id,id", options->device_id, "The ID")->required()->type_name("ID");
  escrow->add_option("--out", options->out_file, "Write the newest package here (CMS, DER), for `warifud escrow open`")
      ->type_name("FILE");
  escrow->add_option("--number", options->number, "Write this one instead");
  escrow->callback([=, &action] { action = [=](const Context& context) { return show_escrow(context, *options); }; });
}

int run(int argc, char** argv) {
  CLI::App app("Warifu's command line for operators.", "warifu");
  app.set_version_flag("--version", "warifu " WARIFU_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer("Example: warifu --server https://dps.example.com:9443 --ca root.pem login --token-file token.txt");
  Context context;
  Action action;
  app.add_option("--server", context.connection.server, "The server's operators listener (https://127.0.0.1:9443)")
      ->envname("WARIFU_SERVER")
      ->type_name("URL");
  app.add_option("--ca", context.connection.ca_file, "The organisation's root certificate")
      ->envname("WARIFU_CA")
      ->type_name("FILE");
  app.add_option("--profile", context.connection.profile, "Which stored login to use (default)")
      ->envname("WARIFU_PROFILE");
  // No flag for the token: the arguments of a process are readable by others.
  if (const char* token = std::getenv("WARIFU_TOKEN"); token != nullptr) context.connection.access_token = token;
  app.add_flag("--json", context.json, "Print JSON, for programs");

  add_login(app, action);
  add_verb(add_noun(app, "id-scope", "The ID scope that devices are told"), "show", "Show it", "warifu id-scope show",
           action, show_id_scope);
  add_service_key(app, action);
  add_enrollment(app, action);
  add_device(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::kInvalidInput);
  }
  const Status done = action(context);
  if (done) return 0;
  fmt::print(stderr, "error: {} [{}]\n", to_string(done.error()), done.error().code);
  return exit_code(done.error().kind);
}

}  // namespace
}  // namespace warifu::cli

int main(int argc, char** argv) {
  try {
    umask(0077);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return warifu::cli::run(argc, argv);
  } catch (const std::exception& error) {
    // Memory, or an output that takes no more. fmt::print() may throw again.
    std::fprintf(stderr, "error: %s [exception]\n", error.what());
    return exit_code(warifu::ErrorKind::kUnavailable);
  }
}
