#include "warifu/userspace_log_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/place.h"
#include "measured_boot/claims/text.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/registers_json.h"
#include "measured_boot/userspace_log/claims.h"
#include "measured_boot/userspace_log/parse.h"
#include "measured_boot/userspace_log/replay.h"
#include "warifu/eventlog_output.h"
#include "warifu/evidence_file.h"
#include "warifu/output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using namespace measured_boot;

constexpr std::string_view kFormat = "systemd-userspace";

json::value text_or_null(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  return json::value(std::string_view(*text));
}

template <class T>
json::object proved(std::string_view value, const Proved<T>& proof) {
  return {{"value", value}, {"proved", true}, {"event", proof.event()}, {"register", proof.register_index()}};
}

json::array proved_texts(const std::vector<Proved<std::string_view>>& texts) {
  json::array all;
  for (const auto& text : texts)
    all.push_back(proved(printable(*text), text));
  return all;
}

json::object summary_of(const UserspaceLog& log) {
  return {{"format", kFormat},
          {"register_kind", "PCR"},
          {"startup_locality", nullptr},
          {"event_count", log.records.size()},
          {"unknown_digests", log.unknown_digests}};
}

void print_summary(const UserspaceLog& log) {
  fmt::print("format            {}\n", kFormat);
  fmt::print("events            {}\n", log.records.size());
  if (log.unknown_digests != 0) fmt::print("unknown digests   {}\n", log.unknown_digests);
}

json::array events_of(const UserspaceProver& prover) {
  json::array events;
  for (const UserspaceRecord& record : prover.log().records) {
    json::object digests;
    for (const crypto::Digest& digest : record.digests)
      digests[bank_name(digest.algorithm())] = to_hex(digest.bytes());
    json::object event{{"number", record.number},
                       {"offset", record.offset},
                       {"register", nullptr},
                       {"type", text_or_null(record.type)},
                       {"type_proved", false},
                       {"digests", std::move(digests)},
                       {"text", text_or_null(record.text)},
                       {"text_proved", prover.text(record).has_value()}};
    if (record.register_index) event["register"] = *record.register_index;
    events.push_back(std::move(event));
  }
  return events;
}

json::object to_json(const UserspaceClaims& claims, crypto::HashAlgorithm bank) {
  json::array keys;
  for (const VolumeKey& key : claims.volume_keys)
    keys.push_back(
        json::object{{"digest", proved(to_hex(key.digest->bytes()), key.digest)},
                     {"name", {{"value", printable(key.name.value)}, {"proved", false}, {"event", key.name.event}}}});
  json::array findings;
  for (const ClaimFinding& finding : claims.findings)
    findings.push_back(json::object{
        {"code", finding.code}, {"detail", printable(finding.detail)}, {"event", finding.event.value_or(0)}});
  json::object object{{"bank", bank_name(bank)},        {"phases", proved_texts(claims.phases)},
                      {"machine_id", nullptr},          {"file_systems", proved_texts(claims.file_systems)},
                      {"volume_keys", std::move(keys)}, {"other_texts", proved_texts(claims.other_texts)},
                      {"findings", std::move(findings)}};
  if (claims.machine_id) object["machine_id"] = proved(*claims.machine_id.value(), *claims.machine_id);
  return object;
}

// Two files came, so an error says which of them it is in.
Result<EventLog> parse_firmware_log(ByteView bytes, const std::string& file) {
  auto log = parse_event_log(bytes);
  if (!log) return at(std::move(log).error(), file);
  return log;
}

// The strongest bank that the log has: SHA-1 last.
std::optional<crypto::HashAlgorithm> best_bank(const UserspaceLog& log) {
  using enum crypto::HashAlgorithm;
  const auto banks = log.banks();
  for (const auto bank : {kSha256, kSha384, kSha512, kSm3, kSha1})
    if (std::ranges::find(banks, bank) != banks.end()) return bank;
  return std::nullopt;
}

}  // namespace

Status show_userspace_log(const Context& context, ByteView bytes) {
  TRY(const auto log, parse_userspace_log(bytes));
  const auto bank = best_bank(log);
  if (!bank) return invalid_input("eventlog.bank-missing", "the log has no digests of an algorithm that we know");
  // No quote is here: what is called proved is so if the registers hold what `replay` says.
  const UserspaceProver prover(log, *bank, RegisterSet().set());
  const UserspaceClaims claims = claims_of(prover);
  if (context.json) {
    auto answer = summary_of(log);
    answer["proved_if"] = premise_of(RegisterKind::kPcr);
    answer["events"] = events_of(prover);
    answer["claims"] = to_json(claims, *bank);
    print_json(answer);
    return {};
  }
  print_summary(log);
  print_premise(RegisterKind::kPcr);
  for (const UserspaceRecord& record : log.records)
    fmt::print("{:>4}  {:>3}  {:<20} {}, {}\n", record.number,
               record.register_index ? std::to_string(*record.register_index) : "-",
               printable(record.type.value_or("-")), printable(record.text.value_or("-")),
               prover.text(record) ? "proved" : "described");
  for (const auto& [name, value] : to_json(claims, *bank))
    if (name != "findings") print_claim(std::string(name), value);
  for (const ClaimFinding& finding : claims.findings)
    fmt::print("finding: {}: {} (event {})\n", finding.code, printable(finding.detail), finding.event.value_or(0));
  return {};
}

Status replay_userspace_log(const Context& context, ByteView bytes, const std::string& before) {
  TRY(const auto log, parse_userspace_log(bytes));
  auto summary = summary_of(log);
  RegisterValues values;
  if (!before.empty()) {
    TRY(const Bytes firmware_bytes, read_evidence(before, kLogSizeMax));
    const auto firmware = parse_firmware_log(firmware_bytes, before);
    if (!firmware) return firmware.error();
    if (firmware->register_kind() != RegisterKind::kPcr)
      return invalid_input("eventlog.after", "expected a log of PCRs, one of RTMRs came", before);
    values = measured_boot::replay(*firmware);
    if (firmware->startup_locality()) summary["startup_locality"] = *firmware->startup_locality();
  }
  values = measured_boot::replay(log, values);
  if (context.json) {
    summary["pcrs"] = measured_boot::to_json(values);
    print_json(summary);
    return {};
  }
  print_summary(log);
  print_registers(values, RegisterKind::kPcr);
  return {};
}

}  // namespace warifu::cli
