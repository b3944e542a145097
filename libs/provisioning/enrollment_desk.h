#pragma once

#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "provisioning/records.h"
#include "tpm_types/storage_key.h"

namespace warifu::provisioning {

// What an operator states about a device that may come.
struct EnrollmentRequest {
  RegistrationId registration_id;
  tpm::EkPublic ek;
  bool allow_software_keys = false;
};

struct CreatedEnrollment {
  Enrollment enrollment;
  // Other registration IDs of this scope under which the same EK is enrolled: two devices with one TPM do not exist.
  std::vector<RegistrationId> same_ek;
};

// Where operators enroll devices. The changes run inside a transaction and leave their audit entry; `actor` is who did
// it, as in audit::Entry.
class EnrollmentDesk {
 public:
  EnrollmentDesk(const Clock& clock, Entropy& entropy, SecretBytes envelope_key)
      : clock_(clock), entropy_(entropy), envelope_key_(std::move(envelope_key)) {}

  // kConflict "enrollment.exists"; kRefused when the device that had this registration ID may not provision any more.
  Result<CreatedEnrollment> create(Records& records, audit::Trail& trail, const ScopeId& scope,
                                   const std::string& actor, const EnrollmentRequest& request) const;

  // From then on the device is refused; its open operations end. kNotFound "enrollment.unknown".
  Status remove(Records& records, audit::Trail& trail, const ScopeId& scope, const std::string& actor,
                const RegistrationId& registration) const;

  // The device's hub key, for a hub that is not ours. That it was read is an entry of the audit log. kNotFound
  // "device.unknown".
  Result<SecretBytes> reveal_hub_key(Records& records, audit::Trail& trail, const ScopeId& scope,
                                     const std::string& actor, const DeviceId& device) const;

 private:
  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
};

}  // namespace warifu::provisioning
