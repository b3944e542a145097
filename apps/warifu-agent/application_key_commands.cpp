#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "agent/application_keys.h"
#include "agent/attestation.h"
#include "tcb_protocol/limits.h"
#include "warifu-agent/device.h"
#include "warifu-agent/local_device.h"
#include "warifu-agent/output.h"

namespace warifu::agent_app {
namespace {

std::string words_of(const tcb_protocol::ShowApplicationKey::Answer& key) {
  const std::string cap = key.capped_by_pcr == 0 ? "" : fmt::format(", capped by PCR {}", key.capped_by_pcr);
  return fmt::format("{} version {} {}{}", key.name, key.version, key.active ? "active" : "pending", cap);
}

}  // namespace

Status get_application_keys(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  agent::Attestor attestor(device->outside(), device->logs());
  TRY(const auto outcome, agent::ApplicationKeyFetcher(device->outside(), attestor).fetch());
  if (!outcome)
    return Error{ErrorKind::kNotFound, "application-key.none", "this server gives no keys for applications"};
  print(context, {{"acknowledged", outcome->acknowledged},
                  {"forgotten", outcome->forgotten},
                  {"waiting_for_the_next_boot", outcome->waiting}});
  return {};
}

Status list_application_keys(const Context& context) {
  TRY(auto device, LocalDevice::open(context));
  boost::json::array keys;
  for (std::uint8_t index = 0;; ++index) {
    TRY(const auto key, device.ask(tcb_protocol::ShowApplicationKey{index}));
    if (index >= key.count) break;
    if (!context.json) {
      fmt::print("{}\n", words_of(key));
      continue;
    }
    boost::json::object record{
        {"name", key.name}, {"version", key.version}, {"state", key.active ? "active" : "pending"}};
    if (key.capped_by_pcr != 0) record["capped_by_pcr"] = key.capped_by_pcr;
    keys.emplace_back(std::move(record));
  }
  if (context.json) fmt::print("{}\n", boost::json::serialize(boost::json::object{{"items", std::move(keys)}}));
  return {};
}

Status print_application_hmac(const Context& context, const std::string& name) {
  TRY(auto device, LocalDevice::open(context));
  TRY(auto data, read_input("-", tcb_protocol::kHmacDataMax));
  TRY(const auto answer, device.ask(tcb_protocol::ApplicationKeyHmac{name, std::move(data)}));
  std::string hex = to_hex(answer.mac.reveal());
  std::string line =
      context.json ? fmt::format("{{\"hmac\":\"{}\",\"version\":{}}}\n", hex, answer.version) : hex + "\n";
  wipe(hex);
  // Not through stdio, whose buffer keeps it.
  Status written = write_output("-", as_bytes(line));
  wipe(line);
  return written;
}

Status cap_application_keys(const Context& context, std::uint8_t pcr, bool unless_pending) {
  TRY(auto device, LocalDevice::open(context));
  TRY(const auto answer, device.ask(tcb_protocol::CapApplicationKeys{pcr, unless_pending}));
  boost::json::array pcrs, left;
  for (const std::uint8_t one : answer.pcrs)
    pcrs.emplace_back(one);
  for (const std::uint8_t one : answer.left)
    left.emplace_back(one);
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"capped_pcrs", std::move(pcrs)},
                                                                  {"left_for_pending", std::move(left)}}));
    return {};
  }
  for (const std::uint8_t one : answer.pcrs)
    fmt::print("PCR {} is extended: what it caps works again after the next reset of the TPM\n", one);
  for (const std::uint8_t one : answer.left)
    fmt::print("PCR {} is left alone: a key that it caps waits to be acknowledged in this boot\n", one);
  return {};
}

}  // namespace warifu::agent_app
