#include <fmt/format.h>

#include "agent/application_keys.h"
#include "agent/attestation.h"
#include "agent/attestation_state.h"
#include "agent/certificate.h"
#include "agent/contact.h"
#include "agent/refusal.h"
#include "agent/runner.h"
#include "keystore/folder_lock.h"
#include "process/service_manager.h"
#include "warifu-agent/certificate_record.h"
#include "warifu-agent/device.h"
#include "warifu-agent/local_device.h"
#include "warifu-agent/output.h"

namespace warifu::agent_app {
namespace {

boost::json::object to_record(const agent::Registration& registration) {
  return {{"device_id", registration.device_id},
          {"assigned_hub", registration.assigned_hub},
          {"registration_id", registration.registration_id},
          {"id_scope", registration.id_scope},
          {"assigned_at", registration.assigned_at}};
}

// What the TCB believes; an older one says nothing of it.
void add_trust(Device& device, boost::json::object& record) {
  const auto trust = tcb_protocol::call(device.outside().tcb, tcb_protocol::TrustBundle{});
  if (!trust) return;
  record["trust_bundle"] = trust->version;
  if (trust->at_least > trust->version) record["trust_bundle_seen"] = trust->at_least;
  if (trust->version == 0) return;
  record["trust_bundle_sha256"] = to_hex(trust->digest);
  record["trust_bundle_expires_at"] = to_rfc3339(Timestamp(std::chrono::seconds(trust->expires_at)));
  record["trust_bundle_expired"] = trust->is_expired;
}

// One at a time: two would register the device against each other.
Result<keystore::FolderLock> claim_state(const std::filesystem::path& folder) {
  auto lock = keystore::FolderLock::acquire(folder);
  if (!lock && lock.error().code == "state.in_use")
    return Error{
        ErrorKind::kConflict, "agent.running",
        fmt::format("another warifu-agent works on {}: the service provisions the device by itself", folder.string())};
  if (lock) TRY_STATUS(keystore::remove_unfinished(folder));
  return lock;
}

// What the TCB says of the LDevID, now that it knows the server. An older one says nothing.
Status add_certificate(Device& device, boost::json::object& record) {
  const auto held = tcb_protocol::call(device.outside().tcb, tcb_protocol::ShowCertificate{.idevid = false});
  if (!held && tcb_protocol::is_unknown_request(held.error())) return {};
  if (!held) return held.error();
  TRY(const auto certificate, certificate_record(*held));
  for (const char* name : {"serial", "not_after", "renew_after"})
    if (const auto* value = certificate.if_contains(name)) record[std::string("certificate_") + name] = *value;
  return {};
}

void tell_service_manager(std::string_view state) {
  if (const auto told = process::notify_service_manager(state); !told)
    fmt::print(stderr, "note: {}\n", to_string(told.error()));
}

}  // namespace

Status run(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kFromTheThirdStep));
  TRY(const auto lock, claim_state(device->config().agent.state));
  tell_service_manager("READY=1");
  agent::Attestor attestor(device->outside(), device->logs());
  agent::Certifier certifier(device->outside(), attestor, device->identity());
  agent::ApplicationKeyFetcher fetcher(device->outside(), attestor);
  agent::Runner(device->outside(), device->config().agent.check_every, &attestor, &certifier, &fetcher).run();
  tell_service_manager("STOPPING=1");
  return {};
}

Status provision(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kEverything));
  TRY(const auto lock, claim_state(device->config().agent.state));
  agent::Attestor attestor(device->outside(), device->logs());
  TRY(const auto registration, agent::Contact(device->outside(), &attestor).make(agent::Registering::kAlways));
  print(context, to_record(registration));
  return {};
}

Status show_status(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  std::string unreadable;
  TRY(auto known, agent::load_registration(device->outside().files, unreadable));
  if (!unreadable.empty()) device->outside().progress.note(unreadable);
  const auto identity = device->ask(tcb_protocol::Identity{});
  if (!identity && !known) return identity.error();
  agent::Registration shown = known.value_or(agent::Registration{});
  if (identity) {
    shown.assigned_hub = identity->assigned_hub;
    shown.device_id = identity->device_id;
    shown.registration_id = identity->registration_id;
    shown.id_scope = identity->id_scope;
    if (identity->device_id.empty()) shown.assigned_at.clear();
  }
  auto record = to_record(shown);
  record["provisioned"] = !shown.device_id.empty();
  record["confirmed_by_tpm"] = identity.has_value();
  TRY(const auto attested, agent::load_last_attestation(device->outside().files));
  if (attested) {
    record["attestation"] = agent::summary(attested->result);
    record["attestation_since"] = attested->since;
  }
  if (identity) TRY_STATUS(add_certificate(*device, record));
  add_trust(*device, record);
  print(context, record);
  if (!identity) return identity.error();
  if (shown.device_id.empty())
    return Error{ErrorKind::kNotFound, "tcb.identity.none", "this device is not provisioned"};
  return {};
}

Status print_token(const Context& context, std::uint32_t lifetime_seconds) {
  TRY(auto device, LocalDevice::open(context));
  TRY(const auto answer, device.ask(tcb_protocol::HubToken{lifetime_seconds}));
  if (context.json)
    print(context, {{"token", answer.token}, {"expires_at", answer.expires_at}});
  else
    fmt::print("{}\n", answer.token);
  return {};
}

}  // namespace warifu::agent_app
