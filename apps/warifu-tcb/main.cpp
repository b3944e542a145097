#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "warifu-tcb/log.h"
#include "warifu-tcb/null_name.h"
#include "warifu-tcb/serve.h"
#include "warifu-tcb/settings.h"

namespace warifu::tcb_program {
namespace {

void add_options(CLI::App& app, Options& options) {
  app.add_option("--config", options.config, "The device's configuration")
      ->envname("WARIFU_DEVICE_CONFIG")
      ->type_name("FILE")
      ->capture_default_str();
  const auto add = [&](const char* name, std::string& value, const char* type, const char* help) {
    app.add_option(name, value, help)->type_name(type);
  };
  add("--tcti", options.tcti, "TCTI", "The TPM (device:/dev/tpmrm0, swtpm:path=SOCKET), instead of the configured one");
  add("--state", options.state, "DIR", "The state folder, instead of the configured one");
  add("--socket", options.socket, "PATH", "The socket to listen on, instead of the configured one");
  add("--ek-name", options.ek_name, "HEX", "The only EK to accept, by its Name, already at the first start");
  add("--user", options.user, "USER", "The user to become after the TPM was opened as root");
  app.add_flag("--unconfined", options.unconfined,
               "Do without Landlock and seccomp: for an emulator of another processor only");
  app.add_flag("--check-confinement", options.checks_confinement,
               "Serve nobody: try what the program forbids itself, and show what this kernel refused");
}

// For the initramfs, where there is nothing but the TPM.
CLI::App* add_null_name(CLI::App& app, std::string& tcti) {
  auto* command = app.add_subcommand(
      "null-name", "Print the Name of the NULL hierarchy's primary, which is another one after each TPM Reset");
  command->add_option("--tcti", tcti, "The TPM")->type_name("TCTI")->capture_default_str();
  command->footer("Example: warifu-tcb null-name --tcti device:/dev/tpmrm0 > /run/warifu-boot/null-name");
  return command;
}

// 0 if everything was refused.
int show(const std::vector<process::ForbiddenTry>& tries) {
  bool all_refused = true;
  for (const auto& one : tries) {
    const auto outcome = process::to_string(one);
    std::printf("%-36.*s %.*s\n", static_cast<int>(one.what.size()), one.what.data(), static_cast<int>(outcome.size()),
                outcome.data());
    all_refused = all_refused && one.is_refused;
  }
  return all_refused ? 0 : exit_code(ErrorKind::kRefused);
}

int fail(const Error& error) {
  std::fprintf(stderr, "error: %s [%.*s]\n", to_string(error).c_str(), static_cast<int>(error.code.size()),
               error.code.data());
  return exit_code(error.kind);
}

int run(int argc, char** argv) {
  CLI::App app("The part of a Warifu device that holds its secrets: the TPM is spoken to by nobody else.",
               "warifu-tcb");
  app.set_version_flag("--version", "warifu-tcb " WARIFU_VERSION);
  app.footer("Example: warifu-tcb --tcti device:/dev/tpmrm0 --state /var/lib/warifu/tcb --socket /run/warifu/tcb.sock");
  Options options;
  add_options(app, options);
  std::string boot_tcti = "device:/dev/tpmrm0";
  const auto* null_name = add_null_name(app, boot_tcti);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::kInvalidInput);
  }
  if (null_name->parsed()) {
    const Status printed = print_null_name(boot_tcti);
    return printed ? 0 : fail(printed.error());
  }
  Log log;
  auto settings = Settings::from(options);
  if (!settings) return fail(settings.error());
  if (options.checks_confinement) {
    const auto tries = check_confinement(*settings);
    return tries ? show(*tries) : fail(tries.error());
  }
  const Status done = serve(std::move(*settings), log);
  return done ? 0 : fail(done.error());
}

}  // namespace
}  // namespace warifu::tcb_program

int main(int argc, char** argv) {
  try {
    umask(0077);
    // Who reads the log may go away, and a stranger can make a line of it be written.
    std::signal(SIGPIPE, SIG_IGN);
    return warifu::tcb_program::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s [exception]\n", error.what());
    return exit_code(warifu::ErrorKind::kUnavailable);
  }
}
