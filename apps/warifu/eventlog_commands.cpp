#include <fmt/format.h>

#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "warifu/eventlog_output.h"
#include "warifu/evidence_commands.h"
#include "warifu/log_file.h"
#include "warifu/output.h"

namespace warifu::cli {
namespace {

using namespace measured_boot;

void print_summary(const EventLog& log) {
  fmt::print("format            {}\n", to_string(log.format()));
  fmt::print("events            {}\n", log.events().size());
  if (log.startup_locality()) fmt::print("startup locality  {}\n", *log.startup_locality());
  for (const LogFinding& finding : log.findings())
    fmt::print("finding           {}: {} (first in event {}, {} in all)\n", finding.code, finding.detail,
               finding.first_event, finding.count);
}

}  // namespace

Status replay_event_log(const Context& context, const std::string& file) {
  TRY(const Bytes bytes, read_log_file(file, kLogSizeMax));
  TRY(const auto log, parse_event_log(bytes));
  const RegisterValues values = replay(log);
  if (context.json) {
    auto answer = summary_of(log);
    answer["pcrs"] = to_json(values);
    print_json(answer);
    return {};
  }
  print_summary(log);
  const std::string_view name = log.register_kind() == RegisterKind::kRtmr ? "MR" : "PCR";
  for (const Bank& bank : values.banks()) {
    fmt::print("{}\n", bank_name(bank.algorithm()));
    for (const auto& [index, value] : bank.registers())
      fmt::print("  {} {:>2}  {}\n", name, index, to_hex(value.bytes()));
  }
  return {};
}

}  // namespace warifu::cli
