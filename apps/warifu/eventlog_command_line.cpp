#include "warifu/command_line.h"
#include "warifu/evidence_commands.h"

namespace warifu::cli {

void add_eventlog_commands(CLI::App& app, Action& action) {
  auto* eventlog = add_noun(app, "eventlog", "Boot logs, in files; no server is asked");
  add_verb_on_file(eventlog, "show", "Show the events and what they claim, and which of it a digest proves",
                   "warifu eventlog show /sys/kernel/security/tpm0/binary_bios_measurements", action, show_event_log);
  add_verb_on_file(eventlog, "replay", "Compute what the registers must hold if the log tells everything",
                   "warifu eventlog replay /sys/kernel/security/tpm0/binary_bios_measurements", action,
                   replay_event_log);
}

}  // namespace warifu::cli
