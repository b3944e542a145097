#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>

#include "warifud/commands.h"

namespace warifu::warifud {
namespace {

// What the chosen subcommand does.
using Action = std::function<Status()>;

CLI::Option* add_data_dir(CLI::App* command, std::string& value) {
  return command->add_option("--data-dir", value, "The organisation's data directory")
      ->required()
      ->envname("WARIFU_DATA_DIR")
      ->type_name("DIR");
}

// Where the organisation is, for the commands that look into it.
struct PlaceOptions {
  std::string data_dir;
  std::string database;
  std::string signer;
};

std::shared_ptr<PlaceOptions> add_place(CLI::App* command) {
  auto options = std::make_shared<PlaceOptions>();
  add_data_dir(command, options->data_dir);
  command
      ->add_option("--database", options->database,
                   "The database, if it is not in the data directory: sqlite:PATH or postgresql://…")
      ->envname("WARIFU_DATABASE")
      ->type_name("URL");
  command
      ->add_option("--signer", options->signer,
                   "The socket of a warifu-signer that runs by itself (without: one is started when it is needed)")
      ->envname("WARIFU_SIGNER")
      ->type_name("PATH");
  return options;
}

// Runs `command` on the place that the options name.
template <class Command>
Action at(const std::shared_ptr<PlaceOptions>& options, Command command) {
  return [=]() -> Status {
    TRY(const auto place, Place::from(options->data_dir, options->database, options->signer));
    return command(place);
  };
}

void add_init(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("init", "Make an organisation: keys, certificates, database, first token");
  command->footer(
      "Example: warifud init --data-dir /var/lib/warifu --org \"Example Power\" --server-name dps.example.com");
  const auto request = std::make_shared<InitRequest>();
  const auto options = add_place(command);
  command->add_option("--org", request->organisation, "The organisation's name, as it stands in certificates");
  auto* backend = command->add_option("--key-backend", request->key_backend,
                                      "Where the keys of the roles are: file, tpm:TCTI or a pkcs11: URI (file)");
  command
      ->add_option(
          "--roles-from", request->roles_from,
          "Certificates of an offline root, for the signer that DATA-DIR/signer holds (warifu root sign --out)")
      ->excludes(backend)
      ->type_name("DIR");
  command->add_option("--server-name", request->server_names, "A DNS name or address of this server; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--json", request->json, "Print JSON");
  command->callback([=, &action] {
    action = at(options, [=](const Place& place) {
      request->place = place;
      return init(*request);
    });
  });
}

// The settings that `serve` and `config check` share.
void add_settings(CLI::App* command, ServeSettings& settings, std::string& config) {
  command->add_option("--config", config, "TOML file with settings")->envname("WARIFU_CONFIG")->type_name("FILE");
  const auto add = [&](const char* name, const char* env, const char* type, std::optional<std::string>& value,
                       const char* help) { command->add_option(name, value, help)->envname(env)->type_name(type); };
  add("--data-dir", "WARIFU_DATA_DIR", "DIR", settings.data_dir, "The organisation's data directory");
  add("--listen-devices", "WARIFU_LISTEN_DEVICES", "ADDR:PORT", settings.listen_devices,
      "Where devices connect (127.0.0.1:8443; port 0 picks a free one)");
  add("--listen-operators", "WARIFU_LISTEN_OPERATORS", "ADDR:PORT", settings.listen_operators,
      "Where operators connect (127.0.0.1:9443)");
  add("--listen-compat", "WARIFU_LISTEN_COMPAT", "ADDR:PORT", settings.listen_compat,
      "Where clients made for Azure DPS connect, with TLS 1.2 too (nowhere)");
  add("--listen-http", "WARIFU_LISTEN_HTTP", "ADDR:PORT", settings.listen_http,
      "Where anybody asks how certificates stand, over plain HTTP (nowhere)");
  add("--database", "WARIFU_DATABASE", "URL", settings.database, "Another database: sqlite:PATH or postgresql://…");
  add("--signer", "WARIFU_SIGNER", "PATH", settings.signer,
      "The socket of a warifu-signer that runs by itself (without: one is started when it is needed)");
  add("--assigned-hub", "WARIFU_ASSIGNED_HUB", "HOST", settings.assigned_hub,
      "The hub that devices are assigned to (this server's first name)");
  add("--log-level", "WARIFU_LOG_LEVEL", "LEVEL", settings.log_level, "debug, info, warning, error or off (info)");
  command->add_flag("--no-webhooks", settings.without_webhooks,
                    "Send no events: for a copy of a server, whose events are not true");
}

Result<ServeOptions> complete(ServeSettings settings, const std::string& config) {
  if (!config.empty()) TRY_STATUS(add_config_file(settings, config));
  return ServeOptions::from(settings);
}

void add_serve(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("serve", "Serve devices and operators until SIGTERM; SIGHUP loads the certificate again");
  command->footer("Example: warifud serve --data-dir /var/lib/warifu --listen-devices 0.0.0.0:8443");
  const auto settings = std::make_shared<ServeSettings>();
  const auto config = std::make_shared<std::string>();
  add_settings(command, *settings, *config);
  command->callback([=, &action] {
    action = [=]() -> Status {
      TRY(const auto options, complete(*settings, *config));
      return serve(options);
    };
  });
}

void add_config(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("config", "Look at the settings")->require_subcommand(1);
  auto* check = command->add_subcommand("check", "Check a configuration file without starting anything");
  check->footer("Example: warifud config check --config /etc/warifu/server.toml");
  const auto settings = std::make_shared<ServeSettings>();
  const auto config = std::make_shared<std::string>();
  add_settings(check, *settings, *config);
  check->callback([=, &action] {
    action = [=]() -> Status {
      TRY(const auto options, complete(*settings, *config));
      for (const std::string& warning : options.warnings())
        fmt::print(stderr, "warning: {}\n", warning);
      fmt::print("the configuration is good\n");
      return {};
    };
  });
}

void add_bootstrap_token(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("bootstrap-token", "Make a new one-time token for an operator who has none");
  command->footer("Example: warifud bootstrap-token --data-dir /var/lib/warifu | warifu login --token-file -");
  const auto options = add_place(command);
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->callback(
      [=, &action] { action = at(options, [=](const Place& place) { return make_bootstrap_token(place, *json); }); });
}

void add_certificate(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("certificate", "This server's certificate")->require_subcommand(1);
  auto* renew =
      command->add_subcommand("renew", "Make a new key and certificate now (a server does so at 2/3 of its life)");
  renew->footer("Example: warifud certificate renew --data-dir /var/lib/warifu --server-name new.example.com");
  const auto options = add_place(renew);
  const auto names = std::make_shared<std::vector<std::string>>();
  const auto lifetime = std::make_shared<std::optional<std::int64_t>>();
  renew->add_option("--server-name", *names, "Names for the new certificate (those of the old one)")
      ->allow_extra_args(false);
  renew->add_option("--lifetime-seconds", *lifetime, "How long it is good for (90 days)");
  renew->callback([=, &action] {
    action = at(options, [=](const Place& place) { return renew_certificate(place, *names, *lifetime); });
  });
}

void add_trust(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("trust", "Whom the organisation's devices believe")->require_subcommand(1);
  auto* install = command->add_subcommand("install", "Take the trust bundles that the root's desk wrote");
  install->footer("Example: warifud trust install --data-dir /var/lib/warifu --from /media/out");
  const auto options = add_place(install);
  const auto from = std::make_shared<std::string>();
  install->add_option("--from", *from, "What `warifu root … --out` wrote: bundles/, and roles/ for the signer")
      ->required()
      ->type_name("DIR");
  install->callback(
      [=, &action] { action = at(options, [=](const Place& place) { return install_trust(place, *from); }); });
}

void add_escrow(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("escrow", "What devices deposit for their operator: the lockout password of each TPM")
          ->require_subcommand(1);
  auto* open = command->add_subcommand("open", "Decrypt a package and print what is in it; audited");
  open->footer("Example: warifud escrow open --data-dir /var/lib/warifu meter-1.cms");
  const auto open_options = add_place(open);
  const auto file = std::make_shared<std::string>();
  open->add_option("FILE", *file, "The package, as `warifu device escrow ID --out FILE` writes it")->required();
  open->callback(
      [=, &action] { action = at(open_options, [=](const Place& place) { return open_escrow(place, *file); }); });
}

void add_backup(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("backup", "Copy database and keys into a new folder; works beside a running server");
  command->footer(
      "Example: warifud backup --data-dir /var/lib/warifu --output /backup/2026-11-21 --passphrase-file /root/pass");
  const auto options = add_place(command);
  const auto output = std::make_shared<std::string>();
  const auto passphrase = std::make_shared<std::string>();
  command->add_option("--output", *output, "The new folder")->required()->type_name("DIR");
  command->add_option("--passphrase-file", *passphrase, "What the master key is put under")
      ->required()
      ->type_name("FILE");
  command->callback(
      [=, &action] { action = at(options, [=](const Place& place) { return backup(place, *output, *passphrase); }); });
}

void add_restore(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("restore", "Make a data directory from a backup");
  command->footer(
      "Example: warifud restore --input /backup/2026-11-21 --data-dir /var/lib/warifu --passphrase-file /root/pass");
  const auto data_dir = std::make_shared<std::string>();
  const auto input = std::make_shared<std::string>();
  const auto passphrase = std::make_shared<std::string>();
  add_data_dir(command, *data_dir);
  command->add_option("--input", *input, "The backup's folder")->required()->type_name("DIR");
  command->add_option("--passphrase-file", *passphrase, "The passphrase of the backup")->required()->type_name("FILE");
  command->callback([=, &action] { action = [=] { return restore(*input, *data_dir, *passphrase); }; });
}

void add_routes(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("routes", "Print every HTTP route and who may use it");
  command->footer("Example: warifud routes --data-dir /var/lib/warifu");
  const auto options = add_place(command);
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->callback(
      [=, &action] { action = at(options, [=](const Place& place) { return print_routes(place, *json); }); });
}

// Neither a crash nor another process of this user reads the keys that every command has in memory.
void forbid_core_dumps() {
  if (prctl(PR_SET_DUMPABLE, 0) != 0) spdlog::warn("core dumps could not be forbidden");
}

int run(int argc, char** argv) {
  CLI::App app("The Warifu server: provisions devices that prove themselves by their TPM.", "warifud");
  app.set_version_flag("--version", "warifud " WARIFU_VERSION);
  app.require_subcommand(1);
  Action action;
  for (const auto add : {add_init, add_serve, add_config, add_bootstrap_token, add_certificate, add_trust, add_escrow,
                         add_backup, add_restore, add_routes})
    add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::kInvalidInput);
  }
  const Status done = action();
  if (done) return 0;
  fmt::print(stderr, "error: {} [{}]\n", to_string(done.error()), done.error().code);
  return exit_code(done.error().kind);
}

}  // namespace
}  // namespace warifu::warifud

int main(int argc, char** argv) {
  try {
    warifu::warifud::forbid_core_dumps();
    // Nothing that we write is for other users of this machine, unless it says so.
    umask(0077);
    spdlog::set_default_logger(spdlog::stderr_logger_mt("warifud"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    return warifu::warifud::run(argc, argv);
  } catch (const std::exception& error) {
    // Memory, or an output that takes no more. fmt::print() may throw again.
    std::fprintf(stderr, "error: %s [exception]\n", error.what());
    return exit_code(warifu::ErrorKind::kUnavailable);
  }
}
