#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <filesystem>

#include "attestation/appraisal/result_json.h"
#include "attestation/appraisal/result_text.h"
#include "base/place.h"
#include "base/time.h"
#include "device_config/trusted_file.h"
#include "keystore/files.h"
#include "local_socket/client.h"
#include "measured_boot/ima/list_reader.h"
#include "measured_boot/registers_json.h"
#include "tcb_protocol/codec.h"
#include "tcb_protocol/service.h"
#include "warifu-agent/commands.h"
#include "warifu-agent/local_attestation.h"
#include "warifu-agent/measurement_files.h"
#include "warifu-agent/rights.h"

namespace warifu::agent_app {
namespace {

using attestation::EvidenceOutcome;
using attestation::Tier;

// As the server takes it: a device has not the memory for what an operator's machine judges by.
constexpr std::size_t kLocalPolicySizeMax = std::size_t{16} * 1024 * 1024;
// A clock that is before it has forgotten the time.
constexpr Timestamp kBuiltAt{std::chrono::days(WARIFU_BUILT_ON_DAY)};

// It decides what is good: as the configuration, it is read only if nobody else could have written it.
Result<std::optional<LocalPolicy>> read_policy(const std::string& file) {
  if (file.empty()) return std::optional<LocalPolicy>();
  const auto text = device_config::read_trusted_file(std::filesystem::absolute(file), kLocalPolicySizeMax);
  if (!text) return invalid_input("policy.file", text.error().message, file);
  auto demands = attestation::parse_evidence_policy(*text);
  if (!demands) return at(std::move(demands).error(), file);
  return std::optional(LocalPolicy{file, *std::move(demands)});
}

// Says how `warifu quote verify` takes it.
Status keep(const LocalEvidence& evidence, const std::filesystem::path& folder) {
  TRY_STATUS(keystore::make_or_take_private_folder(folder));
  std::string command = "warifu quote verify";
  const auto put = [&](const char* option, const char* name, ByteView content) {
    command += fmt::format(" {} {}", option, (folder / name).string());
    return keystore::write_file(folder / name, content, FileMode::kPrivate);
  };
  const auto& shown = evidence.shown;
  TRY_STATUS(put("--ak", "ak.pub", evidence.ak_public));
  TRY_STATUS(put("--message", "quote.msg", shown.message));
  TRY_STATUS(put("--signature", "quote.sig", shown.signature));
  const std::string registers = boost::json::serialize(measured_boot::to_json(*shown.claimed));
  TRY_STATUS(put("--pcrs", "pcrs.json", as_bytes(registers)));
  if (shown.event_log) TRY_STATUS(put("--eventlog", "event-log", *shown.event_log));
  if (shown.event_log && shown.userspace_log) TRY_STATUS(put("--userspace-log", "userspace-log", *shown.userspace_log));
  if (shown.ima_list) TRY_STATUS(put("--ima", "ima-list", *shown.ima_list));
  fmt::print(stderr, "note: {} --nonce {}\n", command, to_hex(evidence.extra_data));
  return {};
}

void print(const Context& context, const EvidenceOutcome& outcome, const std::optional<LocalPolicy>& policy,
           Timestamp now) {
  if (!context.json) {
    fmt::print("{}", attestation::to_text(outcome.result));
    return;
  }
  auto record = attestation::to_json(outcome.result);
  record["policy"] = policy ? boost::json::value(policy->file) : boost::json::value(nullptr);
  record["judged_at"] = to_rfc3339(now);
  record["quote"] =
      outcome.quote ? boost::json::value(attestation::to_json(*outcome.quote)) : boost::json::value(nullptr);
  record["pcrs"] = outcome.registers ? boost::json::value(measured_boot::to_json(outcome.registers->values()))
                                     : boost::json::value(nullptr);
  fmt::print("{}\n", boost::json::serialize(record));
}

Status verdict(const attestation::AttestationResult& result) {
  if (result.overall() == Tier::kAffirming) return {};
  std::string layers;
  for (const auto layer : attestation::kLayers)
    layers += fmt::format("{}{} {}", layers.empty() ? "" : ", ", attestation::to_string(layer),
                          attestation::to_string(result.of(layer)));
  return Error{
      ErrorKind::kRefused, "attestation.local",
      fmt::format("this device judges what it runs as {} ({})", attestation::to_string(result.overall()), layers)};
}

}  // namespace

Status attest_locally(const Context& context, const LocalAttestation& options) {
  TRY(const auto config, device_config::load(context.config_path));
  TRY(const auto policy, read_policy(options.policy_file));
  MeasurementFiles logs(config, measured_boot::ima::kMaxListBytes);
  local_socket::Client tcb(tcb_protocol::kService, config.tcb.socket);
  const auto registers = local_registers(policy);
  TRY(const auto answer, tcb_protocol::call(tcb, tcb_protocol::LocalQuote{registers}));
  // The logs hold what strangers named: who reads them has no rights. To keep them they are copied before, as they are.
  const bool keeps = !options.out_folder.empty();
  if (!keeps) TRY_STATUS(RightsGivenUp::give_up(context, config, Network::kUnixSockets));
  TRY(const LocalEvidence evidence, gather(registers, answer, logs));
  if (keeps) {
    TRY_STATUS(keep(evidence, options.out_folder));
    TRY_STATUS(RightsGivenUp::give_up(context, config, Network::kUnixSockets));
  }
  const Timestamp now = std::max(SystemClock().now(), kBuiltAt);
  TRY(const auto outcome, judge(evidence, policy, now));
  print(context, outcome, policy, now);
  return verdict(outcome.result);
}

}  // namespace warifu::agent_app
