#pragma once

#include "attestation/appraisal/hardware_appraisal.h"
#include "ek_trust/certificate_desk.h"
#include "store/store.h"

namespace warifu::front {

// What the EK certificate of a device is worth by what its scope imported, and its EK: of the certificate, else as it
// is enrolled.
Result<attestation::EkStanding> ek_standing_of(store::Snapshot& snapshot, const ek_trust::CertificateDesk& certificates,
                                               const ScopeId& scope, const RegistrationId& registration,
                                               ByteView ek_name);

}  // namespace warifu::front
