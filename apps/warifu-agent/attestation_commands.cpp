#include <fmt/format.h>

#include "agent/attestation.h"
#include "agent/attestation_state.h"
#include "warifu-agent/device.h"
#include "warifu-agent/output.h"

namespace warifu::agent_app {
namespace {

constexpr std::string_view kGood = "affirming";

boost::json::object to_record(const agent::AttestationResult& result, bool nested) {
  boost::json::object record{{"overall", result.overall}};
  boost::json::object layers;
  for (const auto& [layer, tier] : result.layers)
    (nested ? layers : record)[layer] = tier;
  if (nested) record["layers"] = std::move(layers);
  record["tracking_id"] = result.tracking_id;
  return record;
}

}  // namespace

Status attest(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  TRY_STATUS(device->meet_server());
  TRY(const auto result, agent::Attestor(device->outside(), device->logs()).attest());
  if (!result)
    return Error{ErrorKind::kNotFound, "attestation.none", "the server has no attestation, or does not serve it here"};
  agent::keep(device->outside(), *result);
  print(context, to_record(*result, context.json));
  if (result->overall == kGood) return {};
  return Error{ErrorKind::kRefused, "attestation.result",
               fmt::format("the server judges what this device runs as {}", agent::summary(*result))};
}

}  // namespace warifu::agent_app
