#include <sys/prctl.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>

#include "warifu-signer/commands.h"

namespace warifu::signer_app {
namespace {

// What the chosen subcommand does.
using Action = std::function<Status()>;

void add_dir(CLI::App* command, std::filesystem::path& value) {
  command->add_option("--dir", value, "The signer's folder")
      ->required()
      ->envname("WARIFU_SIGNER_DIR")
      ->type_name("DIR");
}

void add_init(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("init", "Make the keys of an organisation's roles, and a root that certifies them");
  command->footer(
      "Example: warifu-signer init --dir /var/lib/warifu-signer --org \"Example Power\" --server-name dps.example.com "
      "--offline-root");
  const auto request = std::make_shared<InitRequest>();
  add_dir(command, request->folder);
  command->add_option("--org", request->organisation, "The organisation's name, as it stands in certificates")
      ->required();
  command->add_option("--key-backend", request->key_backend, "Where the keys are: file, tpm:TCTI or a pkcs11: URI")
      ->capture_default_str();
  command->add_option("--curve", request->curve, "Of the root and most roles: P-384 or P-256")->capture_default_str();
  command->add_option("--server-name", request->server_names, "A name that servers may have; may be repeated")
      ->allow_extra_args(false);
  auto* root =
      command->add_option("--root-dir", request->root, "Where the root is made, on this machine")->type_name("DIR");
  command
      ->add_flag("--offline-root", request->is_root_offline,
                 "Make no root, but requests (DIR/requests) for one that is elsewhere: warifu root sign")
      ->excludes(root);
  command->add_flag("--or-take", request->takes_what_is_there, "Do nothing if this very signer is there already");
  command->callback([=, &action] { action = [=] { return init(*request); }; });
}

void add_install(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("install", "Take the certificates of an offline root, after init --offline-root");
  command->footer("Example: warifu-signer install --dir /var/lib/warifu-signer --from /media/roles");
  const auto folder = std::make_shared<std::filesystem::path>();
  const auto from = std::make_shared<std::filesystem::path>();
  add_dir(command, *folder);
  command->add_option("--from", *from, "What `warifu root sign --out` made")->required()->type_name("DIR");
  command->callback([=, &action] { action = [=] { return install(*folder, *from); }; });
}

void add_serve(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("serve", "Sign what the server asks for and the rules allow, until SIGTERM");
  command->footer(
      "Example: warifu-signer serve --dir /var/lib/warifu-signer --socket /run/warifu-signer/signer.sock --server-user "
      "warifu");
  const auto request = std::make_shared<ServeRequest>();
  add_dir(command, request->folder);
  auto* socket = command->add_option("--socket", request->socket, "Where to listen, unless systemd hands a socket over")
                     ->type_name("PATH");
  command
      ->add_flag("--connected", request->is_connected,
                 "Standard input is a socket to the one client, which started this program")
      ->excludes(socket);
  command->add_option("--server-user", request->server_user, "Whose requests are the server's (this user)")
      ->type_name("USER");
  command->add_flag("!--unconfined", request->is_confined,
                    "Do without Landlock and seccomp: for an emulator of another processor only");
  command->callback([=, &action] { action = [=] { return serve(*request); }; });
}

void add_status(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("status", "Show the roles, and check the journal of what was signed");
  command->footer("Example: warifu-signer status --dir /var/lib/warifu-signer");
  const auto folder = std::make_shared<std::filesystem::path>();
  const auto json = std::make_shared<bool>(false);
  add_dir(command, *folder);
  command->add_flag("--json", *json, "Print JSON");
  command->callback([=, &action] { action = [=] { return show_status(*folder, *json); }; });
}

void add_allow(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("allow", "Let servers have a name; a running signer believes it after a restart");
  command->footer("Example: warifu-signer allow --dir /var/lib/warifu-signer --server-name new.example.com");
  const auto folder = std::make_shared<std::filesystem::path>();
  const auto names = std::make_shared<std::vector<std::string>>();
  add_dir(command, *folder);
  command->add_option("--server-name", *names, "A DNS name or address; may be repeated")
      ->required()
      ->allow_extra_args(false);
  command->callback([=, &action] { action = [=] { return allow(*folder, *names); }; });
}

int run(int argc, char** argv) {
  CLI::App app("Holds the keys of an organisation's roles, and signs by rules what its servers ask for.",
               "warifu-signer");
  app.set_version_flag("--version", "warifu-signer " WARIFU_VERSION);
  app.require_subcommand(1);
  Action action;
  for (const auto add : {add_init, add_install, add_serve, add_status, add_allow})
    add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::kInvalidInput);
  }
  const Status done = action();
  if (done) return 0;
  std::fprintf(stderr, "error: %s [%.*s]\n", to_string(done.error()).c_str(),
               static_cast<int>(done.error().code.size()), done.error().code.data());
  return exit_code(done.error().kind);
}

}  // namespace
}  // namespace warifu::signer_app

int main(int argc, char** argv) {
  try {
    // Neither a crash nor another process of this user reads the keys that are in memory.
    ::prctl(PR_SET_DUMPABLE, 0);
    umask(0077);
    // Whoever reads the log may go away.
    std::signal(SIGPIPE, SIG_IGN);
    return warifu::signer_app::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s [exception]\n", error.what());
    return exit_code(warifu::ErrorKind::kUnavailable);
  }
}
