#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "warifu/command_line.h"
#include "warifu/declaration_commands.h"
#include "warifu/evidence_commands.h"
#include "warifu/ima_commands.h"
#include "warifu/quote_commands.h"

namespace warifu::cli {
namespace {

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

  add_access_commands(app, action);
  add_enrollment_commands(app, action);
  add_group_commands(app, action);
  add_device_commands(app, action);
  add_attention_commands(app, action);
  add_declaration_commands(app, action);
  add_ek_root_commands(app, action);
  add_attestation_commands(app, action);
  add_policy_commands(app, action);
  add_webhook_commands(app, action);
  add_certificate_commands(app, action);
  add_application_key_commands(app, action);
  add_root_commands(app, action);
  add_bundle_key_commands(app, action);
  add_endorsement_commands(app, action);
  add_eventlog_commands(app, action);
  add_ima_commands(app, action);
  add_quote_commands(app, action);
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
