#pragma once

#include <boost/json/object.hpp>

#include "application_keys/desk.h"
#include "ek_trust/certificate_desk.h"
#include "front/api/enrollment_messages.h"
#include "provisioning/enrollment_desk.h"
#include "store/store.h"

namespace warifu::front::api {

// Writes an enrollment and keeps the EK certificate that came with it, in one change. The keys for applications of one
// that goes, or becomes another, end in it too.
class EnrollmentWriter {
 public:
  EnrollmentWriter(const provisioning::EnrollmentDesk& desk, const ek_trust::CertificateDesk& certificates,
                   const application_keys::Desk& keys)
      : desk_(desk), certificates_(certificates), keys_(keys) {}

  // As EnrollmentDesk::put(); another certificate is a change too, and makes another revision. Without one, that which
  // is there stays.
  Result<provisioning::WrittenEnrollment> put(store::Transaction& transaction, const provisioning::Requester& who,
                                              const EnrollmentBody& body,
                                              const provisioning::Precondition& precondition) const;

  // As EnrollmentDesk::remove().
  Status remove(store::Transaction& transaction, const provisioning::Requester& who, const RegistrationId& id,
                const std::optional<Uuid>& revision = {}) const;

  // The certificate that a TPM's enrollment has once this is put, and what it is worth now; nullopt without one. Judged
  // before the change and not in it: CRLs are parsed and signatures verified, for which nobody waits but who asked.
  Result<std::optional<ek_trust::JudgedCertificate>> judge(store::Store& store, const ScopeId& scope,
                                                           const EnrollmentBody& body) const;
  // The certificate of a TPM's enrollment and what it is worth now; nullopt without one.
  Result<std::optional<ek_trust::JudgedCertificate>> find_certificate(ek_trust::RecordsView& records,
                                                                      const provisioning::Enrollment& enrollment) const;

 private:
  const provisioning::EnrollmentDesk& desk_;
  const ek_trust::CertificateDesk& certificates_;
  const application_keys::Desk& keys_;
};

}  // namespace warifu::front::api
