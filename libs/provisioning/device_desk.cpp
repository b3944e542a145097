#include "provisioning/device_desk.h"

#include <fmt/format.h>

#include "provisioning/duplicates.h"
#include "provisioning/sealed_keys.h"
#include "provisioning/statement.h"

namespace warifu::provisioning {
namespace {

std::string registration_subject(const RegistrationId& registration) {
  return fmt::format("registration:{}", registration.text());
}

// The wish that the operator looked at: another may have taken its place since.
Result<Approval> find_approval(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                               const ApprovalKeys& keys) {
  TRY(auto approval, records.find_approval(scope, registration));
  if (!approval)
    return Error{ErrorKind::kNotFound, "approval.unknown",
                 fmt::format("{} does not wait for an approval", registration.text())};
  if (approval->ek_name != keys.ek_name || approval->srk_name != keys.srk_name)
    return Error{
        ErrorKind::kConflict, "approval.keys",
        fmt::format("{} waits with the EK {} and the SRK {}, and not with those that this is about: look again",
                    registration.text(), to_hex(approval->ek_name), to_hex(approval->srk_name))};
  return *std::move(approval);
}

// With an uncertified EK its group has another one, or one less, from then on.
std::string detail_of(const Approval& approval) {
  return fmt::format(R"({{"ek_name":"{}","srk_name":"{}","group":"{}","uncertified":{},"was_approved":{}}})",
                     to_hex(approval.ek_name), to_hex(approval.srk_name), approval.group ? approval.group->text() : "",
                     approval.is_uncertified, approval.approved_at.has_value());
}

}  // namespace

Result<SharedKeys> DeviceDesk::reveal_hub_keys(Records& records, audit::Trail& trail, const Requester& who,
                                               const DeviceId& device_id) const {
  TRY(const auto device, records.find_device(who.scope, device_id));
  if (!device)
    return Error{ErrorKind::kNotFound, "device.unknown",
                 fmt::format("no device {} has registered here", device_id.text())};
  if (device->mechanism == Mechanism::kX509)
    return Error{ErrorKind::kRefused, "device.no_key",
                 fmt::format("{} proves itself by a certificate: it has no key to show", device_id.text())};
  TRY(const bool stands, has_standing_statement(records, *device));
  if (!stands || (device->mechanism == Mechanism::kTpm && device->sealed_hub_key.empty()))
    return Error{ErrorKind::kRefused, "device.credentials_revoked",
                 fmt::format("the enrollment under which {} got its key is gone, was made anew or is disabled",
                             device_id.text())};
  TRY_STATUS(trail.record(who.scope, {who.actor, "hub-key.read", fmt::format("device:{}", device_id.text()), "{}"}));
  if (device->mechanism == Mechanism::kSymmetricKey) return enrolled_keys(records, *device);
  TRY(auto key, open_hub_key(envelope_key_, who.scope, device_id, device->sealed_hub_key));
  return SharedKeys{std::move(key), SecretBytes()};
}

Result<SharedKeys> DeviceDesk::enrolled_keys(RecordsView& records, const Device& device) const {
  const Error gone{ErrorKind::kRefused, "device.credentials_revoked", "the enrollment has no key any more"};
  if (device.group) {
    TRY(const auto group, records.find_group(device.scope, *device.group));
    const auto* sealed = group ? std::get_if<SymmetricKeyGroupAttestation>(&group->attestation) : nullptr;
    if (sealed == nullptr) return gone;
    TRY(const auto keys, open_shared_keys(envelope_key_, device.scope, group->enrollment_id, *sealed));
    return derive_device_keys(keys,
                              device.key_derived_for.empty() ? device.registration_id.text() : device.key_derived_for);
  }
  TRY(const auto enrollment, records.find_enrollment(device.scope, device.registration_id));
  const auto* sealed = enrollment ? std::get_if<SymmetricKeyAttestation>(&enrollment->attestation) : nullptr;
  if (sealed == nullptr) return gone;
  return open_shared_keys(envelope_key_, device.scope, enrollment->enrollment_id, *sealed);
}

Status DeviceDesk::deregister(Records& records, audit::Trail& trail, const Requester& who,
                              const RegistrationId& registration, const std::optional<Uuid>& revision) const {
  TRY(const auto device, records.find_device_of(who.scope, registration));
  if (!device || !is_registered(*device))
    return Error{ErrorKind::kNotFound, "device.unknown",
                 fmt::format("{} has not registered here", registration.text())};
  if (revision && *revision != device->operation_id)
    return Error{ErrorKind::kConflict, "device.revision",
                 fmt::format("{} was assigned anew since it was read", registration.text())};
  TRY_STATUS(take_back(records, *device, clock_.now()));
  return trail.record(who.scope, {who.actor, "device.deregister", fmt::format("device:{}", device->device_id.text()),
                                  fmt::format(R"({{"registration_id":"{}","operation_id":"{}"}})", registration.text(),
                                              device->operation_id.text())});
}

Status DeviceDesk::approve(Records& records, audit::Trail& trail, const Requester& who,
                           const RegistrationId& registration, const ApprovalKeys& keys) const {
  TRY(auto approval, find_approval(records, who.scope, registration, keys));
  if (approval.approved_at) return {};
  const std::string detail = detail_of(approval);
  approval.approved_at = clock_.now();
  TRY_STATUS(records.put_approval(approval));
  TRY_STATUS(keep_approved_ek(records, approval, *approval.approved_at));
  return trail.record(who.scope, {who.actor, "approval.grant", registration_subject(registration), detail});
}

Status DeviceDesk::reject(Records& records, audit::Trail& trail, const Requester& who,
                          const RegistrationId& registration, const ApprovalKeys& keys) const {
  TRY(const auto approval, find_approval(records, who.scope, registration, keys));
  TRY_STATUS(withdraw(records, approval, clock_.now()));
  return trail.record(who.scope,
                      {who.actor, "approval.reject", registration_subject(registration), detail_of(approval)});
}

Status DeviceDesk::acknowledge(Records& records, audit::Trail& trail, const Requester& who,
                               const AlertKey& alert) const {
  TRY_STATUS(records.acknowledge_alert(who.scope, alert, clock_.now()));
  return trail.record(who.scope, {who.actor, "alert.acknowledge", registration_subject(alert.registration_id),
                                  fmt::format(R"({{"kind":"{}"}})", alert.kind)});
}

}  // namespace warifu::provisioning
