#include "warifu/command_line.h"
#include "warifu/evidence_commands.h"

namespace warifu::cli {

void add_eventlog_commands(CLI::App& app, Action& action) {
  auto* eventlog = add_noun(app, "eventlog", "Boot logs, in files; no server is asked");
  add_verb_on_file(eventlog, "show", "Show the events and what they claim, and which of it a digest proves",
                   "warifu eventlog show /sys/kernel/security/tpm0/binary_bios_measurements", action, show_event_log);
  auto* replay = add_verb(eventlog, "replay", "Compute what the registers must hold if the log tells everything",
                          "warifu eventlog replay /sys/kernel/security/tpm0/binary_bios_measurements");
  const auto file = std::make_shared<std::string>();
  const auto before = std::make_shared<std::string>();
  replay->add_option("file", *file, "The log; - is the standard input")->required()->type_name("FILE");
  replay->add_option("--after", *before, "The firmware's log, when FILE is systemd's, which goes on from it")
      ->type_name("FILE");
  replay->callback(
      [=, &action] { action = [=](const Context& context) { return replay_event_log(context, *file, *before); }; });
}

}  // namespace warifu::cli
