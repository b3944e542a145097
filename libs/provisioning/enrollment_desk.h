#pragma once

#include <string>
#include <vector>

#include "audit/entry.h"
#include "audit/requester.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "provisioning/enrollment_request.h"
#include "provisioning/records.h"
#include "provisioning/shared_keys.h"

namespace warifu::provisioning {

using audit::Requester;

struct WrittenEnrollment {
  Enrollment enrollment;
  Outcome outcome;
  // Other registration IDs of this scope under which the same EK is enrolled: two devices with one TPM do not exist.
  std::vector<RegistrationId> same_ek;
};

// Where operators enroll devices. The changes run inside a transaction and leave their audit entry.
class EnrollmentDesk {
 public:
  EnrollmentDesk(const Clock& clock, Entropy& entropy, SecretBytes envelope_key)
      : clock_(clock), entropy_(entropy), envelope_key_(std::move(envelope_key)) {}

  // Creates the enrollment, or changes it so that it says what the request says. With another EK or another mechanism
  // it is a new one: what was proved under the old one is void. Nothing is written when nothing changes. kConflict
  // "enrollment.exists", "enrollment.revision", "enrollment.device_id"; kNotFound "enrollment.unknown"; kInvalidInput
  // as check_terms(); kRefused when it is a new one for a device that may not provision any more ("device.hold").
  // `beside` is what the caller changes with it elsewhere: an enrollment that is there gets another revision for it.
  Result<WrittenEnrollment> put(Records& records, audit::Trail& trail, const Requester& who,
                                const EnrollmentRequest& request, const Precondition& precondition,
                                const std::vector<FieldChange>& beside = {}) const;

  // From then on the device is refused, its open operations end and its hub key is void. kNotFound
  // "enrollment.unknown", kConflict "enrollment.revision".
  Status remove(Records& records, audit::Trail& trail, const Requester& who, const RegistrationId& registration,
                const std::optional<Uuid>& revision = {}) const;

  // The keys of a symmetric-key enrollment. That they were read is an entry of the audit log. kNotFound
  // "enrollment.unknown"; kRefused "enrollment.no_keys" for another mechanism.
  Result<SharedKeys> reveal_keys(Records& records, audit::Trail& trail, const Requester& who,
                                 const RegistrationId& registration) const;

 private:
  struct Draft;
  Result<Draft> draft(RecordsView& records, const Requester& who, const EnrollmentRequest& request,
                      const std::optional<Enrollment>& before) const;
  Status draft_tpm(Draft& draft, const TpmRequest& request, const std::optional<Enrollment>& before) const;
  Status draft_x509(Draft& draft, const X509Request& request, const std::optional<Enrollment>& before) const;
  Status draft_keys(Draft& draft, const SymmetricKeyRequest& request, const std::optional<Enrollment>& before) const;
  Status check_device(RecordsView& records, const Enrollment& enrollment) const;
  Status revoke_device(Records& records, const ScopeId& scope, const RegistrationId& registration) const;

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
};

}  // namespace warifu::provisioning
