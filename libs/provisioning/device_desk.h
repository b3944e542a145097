#pragma once

#include "provisioning/enrollment_desk.h"

namespace warifu::provisioning {

// What operators decide about devices that came, and what they take note of. The changes run inside a transaction and
// leave their audit entry.
class DeviceDesk {
 public:
  DeviceDesk(const Clock& clock, SecretBytes envelope_key) : clock_(clock), envelope_key_(std::move(envelope_key)) {}

  // The keys by which a hub knows the device: the one that its TPM was given, or those that it was enrolled with or are
  // derived from its group's. That they were read is an entry of the audit log. kNotFound "device.unknown"; kRefused
  // "device.credentials_revoked": its enrollment is gone, was made anew or is disabled; "device.no_key": it has a
  // certificate.
  Result<SharedKeys> reveal_hub_keys(Records& records, audit::Trail& trail, const Requester& who,
                                     const DeviceId& device) const;

  // Takes back what the device was given: its operations end, its credentials at the hub are void, and it is assigned
  // anew when it comes again. Its enrollment stands, and so do its lifecycle state and the EK that it is bound to.
  // `revision` is that of the assignment (Device::operation_id). kNotFound "device.unknown", kConflict
  // "device.revision".
  Status deregister(Records& records, audit::Trail& trail, const Requester& who, const RegistrationId& registration,
                    const std::optional<Uuid>& revision = {}) const;

  // Lets a device go on with the EK or SRK that it asked for; it holds for these keys, once. kNotFound
  // "approval.unknown"; kConflict "approval.keys", or "approval.ek_elsewhere" as keep_approved_ek().
  Status approve(Records& records, audit::Trail& trail, const Requester& who, const RegistrationId& registration,
                 const ApprovalKeys& keys) const;
  // Ends the operation that waits, also one that was approved; the device may ask again.
  Status reject(Records& records, audit::Trail& trail, const Requester& who, const RegistrationId& registration,
                const ApprovalKeys& keys) const;

  // kNotFound "alert.unknown".
  Status acknowledge(Records& records, audit::Trail& trail, const Requester& who, const AlertKey& alert) const;

 private:
  Result<SharedKeys> enrolled_keys(RecordsView& records, const Device& device) const;

  const Clock& clock_;
  const SecretBytes envelope_key_;
};

}  // namespace warifu::provisioning
