// bus-demo: what somebody with a logic analyser on a TPM's bus reads, and what is left to read with salted sessions.
// A swtpm of its own, and the TCB's own code on it, twice: with the protection and without.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <utility>

#include "../system/swtpm.h"
#include "bus_recorder.h"
#include "command_view.h"
#include "device_life.h"
#include "temporary_folder.h"

namespace warifu::bus {
namespace {

constexpr int kOtherwise = 1;
constexpr int kUsage = 2;
constexpr int kUnavailable = 3;

// What was on the bus while a device opened a server's challenge, sealed and unsealed a secret and set its passwords.
struct Observed {
  Recording recording;
  SecretSearch secrets;

  std::optional<Finding> find(const std::string& name) const {
    for (Finding& finding : secrets.search(recording))
      if (finding.secret == name) return std::move(finding);
    return std::nullopt;
  }
};

Result<Observed> observe(const tpm::CommandTable& table) {
  const TemporaryFolder folder;
  const test::Swtpm swtpm;
  TRY(const auto recorder, BusRecorder::start(folder.path("bus"), swtpm.socket().string()));
  DeviceLife life(recorder->tcti(), table);
  TRY_STATUS(life.start());
  TRY_STATUS(life.activate());
  TRY_STATUS(life.seal_and_unseal());
  TRY_STATUS(life.draw_random());
  TRY_STATUS(life.own());
  return Observed{recorder->recording(), life.secrets()};
}

// "TPM2_Unseal's response: …0030 7f3a52…"
std::string place_of(const Finding& finding, const Recording& recording) {
  const Message& message = recording[finding.message];
  const bool is_command = message.direction == Direction::kCommand;
  const Message& command = is_command ? message : recording[finding.message - 1];
  constexpr std::size_t kShown = 8;
  const std::string bytes = to_hex(ByteView(message.bytes).subspan(finding.offset).first(kShown));
  return fmt::format("FOUND in {} {}: {}…", command_name(code_of(command.bytes)), is_command ? "command" : "response",
                     bytes);
}

// What who has it can do, for a reader who is new to TPMs.
std::string_view meaning_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kMeanings[] = {
      {"credential", "opens the key that the server sent"},
      {"message", "what the device signs"},
      {"MAC", "a token's signature: good for whoever has it"},
      {"sealed secret", "what an application keeps in the TPM"},
      {"random output", "tomorrow's keys"},
      {"lockoutAuth", "clears the TPM"},
      {"ownerAuth", "uses what the owner made"},
      {"endorsementAuth", "uses the endorsement key"},
  };
  for (const auto& [start, meaning] : kMeanings)
    if (name.starts_with(start)) return meaning;
  return "";
}

// True when this secret can be read without protection and cannot with it.
bool show_row(const std::string& name, const Observed& clear, const Observed& salted) {
  const auto in_clear = clear.find(name);
  const auto in_session = salted.find(name);
  fmt::print("  {} ({})\n", name, meaning_of(name));
  fmt::print("    in clear:            {}\n", in_clear ? place_of(*in_clear, clear.recording) : "not found");
  fmt::print("    in a salted session: {}\n", in_session ? place_of(*in_session, salted.recording) : "not found");
  return in_clear && !in_session;
}

int show(const Observed& clear, const Observed& salted) {
  fmt::print(
      "  A TPM hangs on a bus (SPI, LPC, I2C) that a logic analyser reads. Twice the same: a server's key is opened, "
      "a\n"
      "  secret sealed and unsealed, the TPM gets its passwords. This is what the analyser saw:\n");
  const std::vector<std::string> names = clear.secrets.names();
  std::size_t shown = 0, as_promised = 0;
  for (const std::string& name : names) {
    ++shown;
    if (show_row(name, clear, salted)) ++as_promised;
  }
  if (as_promised != shown) {
    fmt::print(stderr, "bus-demo: {} of {} secrets were not as promised\n", shown - as_promised, shown);
    return kOtherwise;
  }
  fmt::print("  {} secrets in {} messages: in clear a sniffer reads all of them, in a salted session none.\n", shown,
             salted.recording.size());
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Shows what a sniffer on a TPM's bus reads, in clear and with salted sessions, on a swtpm of its own");
  app.footer("Example: bus-demo\nExit code: 0 as shown, 1 reality differs, 2 bad usage, 3 the TPM does not answer.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  const auto clear = observe(tpm::CommandTable::without_protection());
  const auto salted = observe(tpm::CommandTable::production());
  for (const auto* observed : {&clear, &salted}) {
    if (*observed) continue;
    fmt::print(stderr, "bus-demo: {}\n", to_string(observed->error()));
    return kUnavailable;
  }
  return show(*clear, *salted);
}

}  // namespace
}  // namespace warifu::bus

int main(int argc, char** argv) {
  return warifu::bus::run(argc, argv);
}
