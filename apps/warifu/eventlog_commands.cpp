#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/registers_json.h"
#include "measured_boot/userspace_log/parse.h"
#include "warifu/eventlog_output.h"
#include "warifu/evidence_commands.h"
#include "warifu/evidence_file.h"
#include "warifu/output.h"
#include "warifu/userspace_log_commands.h"

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

// The strongest bank that the log has and we can compute: SHA-1 last.
std::optional<crypto::HashAlgorithm> best_bank(const EventLog& log) {
  using enum crypto::HashAlgorithm;
  for (const auto bank : {kSha256, kSha384, kSha512, kSm3, kSha1})
    for (const LoggedBank& logged : log.banks())
      if (logged.algorithm == bank) return bank;
  return std::nullopt;
}

}  // namespace

void print_registers(const RegisterValues& values, RegisterKind kind) {
  for (const Bank& bank : values.banks()) {
    fmt::print("{}\n", bank_name(bank.algorithm()));
    for (const auto& [index, value] : bank.registers())
      fmt::print("  {} {:>2}  {}\n", kind == RegisterKind::kRtmr ? "MR" : "PCR", index, to_hex(value.bytes()));
  }
}

void print_claim(const std::string& name, const boost::json::value& value) {
  if (value.is_array()) {
    for (const auto& item : value.get_array())
      print_claim(name, item);
    return;
  }
  if (!value.is_object()) {
    fmt::print("{}: {}\n", name, value.is_null() ? "not proved" : boost::json::serialize(value));
    return;
  }
  const auto& object = value.get_object();
  const auto* is_proved = object.if_contains("proved");
  if (is_proved == nullptr) {
    for (const auto& [member, inner] : object)
      print_claim(name + "." + std::string(member), inner);
    return;
  }
  fmt::print("{}: {} ({}, event {})\n", name, boost::json::serialize(object.at("value")),
             is_proved->as_bool() ? "proved" : "described", object.at("event").to_number<std::uint32_t>());
}

Status show_event_log(const Context& context, const std::string& file) {
  TRY(const Bytes bytes, read_evidence(file, kLogSizeMax));
  if (is_userspace_log(bytes)) return show_userspace_log(context, bytes);
  TRY(const auto log, parse_event_log(bytes));
  const auto bank = best_bank(log);
  if (!bank) return invalid_input("eventlog.bank-missing", "the log has no digests of an algorithm that we know", file);
  // No quote is here: what is called proved is so if the registers hold what `replay` says.
  const Prover prover(log, *bank, RegisterSet().set());
  if (context.json) {
    auto answer = summary_of(log);
    answer["proved_if"] = premise_of(log.register_kind());
    answer["events"] = events_of(prover);
    answer["claims"] = to_json(claims_of(prover));
    print_json(answer);
    return {};
  }
  print_summary(log);
  print_premise(log.register_kind());
  for (const Event& event : log.events()) {
    const std::string_view name = name_of(event.type);
    fmt::print("{:>4}  {:>3}  {:<34} {:>6} bytes, {}\n", event.number,
               event.register_index == kNoRegister ? "-" : std::to_string(event.register_index),
               name.empty() ? fmt::format("{:08x}", static_cast<std::uint32_t>(event.type)) : std::string(name),
               event.data.size(), prover.data(event) ? "proved" : "described");
  }
  const Claims claims = claims_of(prover);
  for (const auto& [name, value] : to_json(claims))
    if (name != "findings") print_claim(std::string(name), value);
  for (const ClaimFinding& finding : claims.findings)
    fmt::print("finding: {}: {}{}\n", finding.code, printable(finding.detail),
               finding.event ? fmt::format(" (event {})", *finding.event) : "");
  return {};
}

Status replay_event_log(const Context& context, const std::string& file, const std::string& before) {
  TRY(const Bytes bytes, read_evidence(file, kLogSizeMax));
  if (is_userspace_log(bytes)) return replay_userspace_log(context, bytes, before);
  if (!before.empty())
    return invalid_input("eventlog.after", "only systemd's log goes on from another: expected one", file);
  TRY(const auto log, parse_event_log(bytes));
  const RegisterValues values = replay(log);
  if (context.json) {
    auto answer = summary_of(log);
    answer["pcrs"] = measured_boot::to_json(values);
    print_json(answer);
    return {};
  }
  print_summary(log);
  print_registers(values, log.register_kind());
  return {};
}

}  // namespace warifu::cli
