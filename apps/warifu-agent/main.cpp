#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>

#include "agent/refusal.h"
#include "device_config/device_config.h"
#include "warifu-agent/commands.h"

namespace warifu::agent_app {
namespace {

// What the chosen subcommand does.
using Action = std::function<Status(const Context&)>;

CLI::App* add(CLI::App& app, const char* name, const char* help, const char* example) {
  auto* command = app.add_subcommand(name, help);
  command->footer(std::string("Example: ") + example);
  return command;
}

void add_plain(CLI::App& app, const char* name, const char* help, const char* example, Action& action,
               Status (*run)(const Context&)) {
  add(app, name, help, example)->callback([=, &action] { action = run; });
}

void add_attest(CLI::App& app, Action& action) {
  auto* command = add(app, "attest", "Show the server what this device runs, now, and print how it judges that",
                      "warifu-agent attest\nExample: warifu-agent attest --local --policy policy.json");
  const auto options = std::make_shared<LocalAttestation>();
  const auto is_local = std::make_shared<bool>(false);
  auto* local = command->add_flag("--local", *is_local, "Judge it here, without a server, by the server's own code");
  command->add_option("--policy", options->policy_file, "What this device must show; without it nothing is affirmed")
      ->type_name("FILE")
      ->needs(local);
  command->add_option("--out", options->out_folder, "Keep the evidence here, for `warifu quote verify`")
      ->type_name("DIR")
      ->needs(local);
  command->callback([=, &action] {
    if (*is_local)
      action = [=](const Context& c) { return attest_locally(c, *options); };
    else
      action = attest;
  });
}

void add_provisioning(CLI::App& app, Action& action) {
  auto* run_command = add(app, "run", "Provision the device and keep it provisioned; a service", "warifu-agent run");
  run_command->callback([&action] { action = run; });
  auto* provision_command = add(app, "provision", "Register the device with its server, now", "warifu-agent provision");
  provision_command->callback([&action] { action = provision; });
  add_plain(app, "status", "Show what the device is, as its TPM confirms it", "warifu-agent --json status", action,
            show_status);
  add_attest(app, action);
  auto* token =
      add(app, "token", "Print a SAS token for the device's hub", "warifu-agent token --lifetime-seconds 600");
  add_plain(app, "check-confinement", "Try what `run` forbids itself, and show what this kernel refused",
            "warifu-agent check-confinement", action, check_confinement);
  const auto lifetime = std::make_shared<std::uint32_t>(3600);
  token->add_option("--lifetime-seconds", *lifetime, "How long it is good for (3600, which is the most)");
  token->callback([=, &action] { action = [=](const Context& c) { return print_token(c, *lifetime); }; });
}

void add_certificate(CLI::App& app, Action& action) {
  auto* certificate = app.add_subcommand("certificate", "The device's certificates")->require_subcommand(1);
  certificate->footer("Example: warifu-agent certificate show");
  add_plain(*certificate, "get", "Get an LDevID from the server, if there is none or it is time to renew it",
            "warifu-agent certificate get", action, get_certificate);
  add_plain(*certificate, "renew", "Get another LDevID now, with a new key", "warifu-agent certificate renew", action,
            renew_certificate);
  add_plain(*certificate, "idevid", "Get the certificate of the TPM's IDevID, which is for life",
            "warifu-agent certificate idevid", action, get_idevid);
  add_plain(*certificate, "show", "Show the certificates that this device has", "warifu-agent --json certificate show",
            action, show_certificate);
  auto* out =
      add(*certificate, "export",
          "Write the LDevID for software that opens the TPM by itself (TSS2 PRIVATE KEY). For the administrator",
          "warifu-agent certificate export --out-certificate c.pem --out-key k.pem");
  const auto files = std::make_shared<ExportFiles>();
  out->add_option("--out-certificate", files->certificate, "Where the certificate and its issuers go (PEM)")
      ->required()
      ->type_name("FILE");
  out->add_option("--out-key", files->key, "Where the wrapped key goes (PEM)")->required()->type_name("FILE");
  out->callback([=, &action] { action = [=](const Context& c) { return export_certificate(c, *files); }; });
}

void add_application_keys(CLI::App& app, Action& action) {
  auto* keys = app.add_subcommand("application-key", "Keys that the server gives this device's applications")
                   ->require_subcommand(1);
  keys->footer("Example: warifu-agent application-key list");
  add_plain(*keys, "get", "Get what the server has for this device, and forget what it revoked",
            "warifu-agent application-key get", action, get_application_keys);
  add_plain(*keys, "list", "List the keys that this device has", "warifu-agent --json application-key list", action,
            list_application_keys);
  auto* hmac =
      add(*keys, "hmac", "Print the HMAC-SHA256 of standard input (at most 1024 bytes) by a key, in hexadecimal",
          "printf hello | warifu-agent application-key hmac mqtt");
  const auto name = std::make_shared<std::string>();
  hmac->add_option("name", *name, "The key")->required()->type_name("NAME");
  hmac->callback([=, &action] { action = [=](const Context& c) { return print_application_hmac(c, *name); }; });
  auto* cap = add(*keys, "cap", "Let keys that are capped by a PCR work no longer until the next boot",
                  "warifu-agent application-key cap --pcr 14");
  const auto pcr = std::make_shared<std::uint8_t>(0);
  cap->add_option("--pcr", *pcr, "This PCR; without it those by which keys of this device are capped")
      ->check(CLI::Range(12, 15));
  const auto unless_pending = std::make_shared<bool>(false);
  cap->add_flag(
      "--unless-pending", *unless_pending,
      "Leave a PCR alone while a key that it caps waits to be acknowledged: this boot does that, the next caps");
  cap->callback(
      [=, &action] { action = [=](const Context& c) { return cap_application_keys(c, *pcr, *unless_pending); }; });
}

void add_tpm(CLI::App& app, Action& action) {
  auto* tpm = app.add_subcommand("tpm", "Care for the TPM")->require_subcommand(1);
  tpm->footer("Example: warifu-agent tpm status");
  add_plain(*tpm, "status", "Show the TPM: who made it, who owns it, whether it is locked", "warifu-agent tpm status",
            action, show_tpm);
  add_plain(*tpm, "ek", "Print the endorsement key (TPM2B_PUBLIC, base64) for enrolling the device",
            "warifu-agent tpm ek > ek.b64; warifu enrollment create --registration-id meter-1 --tpm-ek ek.b64", action,
            print_ek);
  add_plain(*tpm, "own", "Set a random lockout password that only the organisation can open", "warifu-agent tpm own",
            action, own_tpm);
  const auto file = std::make_shared<std::string>();
  const auto yes = std::make_shared<bool>(false);
  auto* clear = add(*tpm, "clear", "Erase the owner's keys: the device's identity ends. For the administrator",
                    "warifu-agent tpm clear --lockout-auth-file auth.json --yes");
  auto* reset = add(*tpm, "reset-lockout", "Set the counter of wrong passwords to zero. For the administrator",
                    "warifu-agent tpm reset-lockout --lockout-auth-file auth.json");
  for (auto* command : {clear, reset})
    command
        ->add_option("--lockout-auth-file", *file,
                     "The lockout password in hexadecimal, or what `warifud escrow open` prints")
        ->required()
        ->type_name("FILE");
  clear->add_flag("--yes", *yes, "It is meant so");
  clear->callback([=, &action] { action = [=](const Context& c) { return clear_tpm(c, *file, *yes); }; });
  reset->callback([=, &action] { action = [=](const Context& c) { return reset_lockout(c, *file); }; });
}

void add_secrets(CLI::App& app, Action& action) {
  auto* random = add(app, "random", "Print random bytes of the TPM in hexadecimal", "warifu-agent random --size 32");
  const auto size = std::make_shared<std::uint16_t>(32);
  random->add_option("--size", *size, "How many bytes (32); at most 1024")->check(CLI::Range(1, 1024));
  random->callback([=, &action] { action = [=](const Context& c) { return print_random(c, *size); }; });

  const auto files = std::make_shared<Files>();
  const auto pcrs = std::make_shared<std::vector<std::uint8_t>>();
  auto* seal_command = add(app, "seal", "Encrypt a secret of at most 128 bytes so that only this TPM opens it",
                           "warifu-agent seal --in secret --out secret.sealed --pcr 7");
  auto* unseal_command =
      add(app, "unseal", "Open what `seal` made", "warifu-agent unseal --in secret.sealed --out secret");
  for (auto* command : {seal_command, unseal_command}) {
    command->add_option("--in", files->in, "What to read (standard input)")->type_name("FILE");
    command->add_option("--out", files->out, "Where to write, readable by the owner only (standard output)")
        ->type_name("FILE");
  }
  seal_command
      ->add_option("--pcr", *pcrs, "Only while this PCR (SHA-256) has its present value; ascending, may be repeated")
      ->allow_extra_args(false)
      ->check(CLI::Range(0, 23));
  seal_command->callback([=, &action] { action = [=](const Context& c) { return seal(c, *files, *pcrs); }; });
  unseal_command->callback([=, &action] { action = [=](const Context& c) { return unseal(c, *files); }; });
}

int run_command_line(int argc, char** argv) {
  CLI::App app("Warifu's agent on a device: talks to the network, holds no key.", "warifu-agent");
  app.set_version_flag("--version", "warifu-agent " WARIFU_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer("Example: warifu-agent --config /etc/warifu/device.toml provision");
  Context context{.config_path = device_config::kDefaultPath};
  Action action;
  app.add_option("--config", context.config_path, "The device's configuration (/etc/warifu/device.toml)")
      ->type_name("FILE");
  app.add_flag("--json", context.json, "Print JSON, for programs");
  app.add_flag("--unconfined", context.unconfined,
               "Do without Landlock and seccomp: for an emulator of another processor only");
  add_provisioning(app, action);
  add_certificate(app, action);
  add_application_keys(app, action);
  add_tpm(app, action);
  add_secrets(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::kInvalidInput);
  }
  const Status done = action(context);
  if (done) return 0;
  fmt::print(stderr, "error: {}\n", agent::explain(done.error()));
  return exit_code(done.error().kind);
}

}  // namespace
}  // namespace warifu::agent_app

int main(int argc, char** argv) {
  try {
    umask(0077);
    std::signal(SIGPIPE, SIG_IGN);
    // The resolver's threads need no heap of their own.
    mallopt(M_ARENA_MAX, 1);
    return warifu::agent_app::run_command_line(argc, argv);
  } catch (const std::exception& error) {
    // Memory, or an output that takes no more. fmt::print() may throw again.
    std::fprintf(stderr, "error: %s [exception]\n", error.what());
    return warifu::exit_code(warifu::ErrorKind::kUnavailable);
  }
}
