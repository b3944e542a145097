#pragma once

#include <optional>

#include "base/time.h"
#include "crypto/requested_names.h"
#include "device_ca/desk.h"
#include "provisioning/registrar.h"
#include "verifier/records.h"

namespace warifu::front::certificates {

device_ca::Ground ground_of(const provisioning::Statement& statement);

// Who may get a certificate, as provisioning and the verifier know him.
struct Applicant {
  provisioning::Statement statement;
  // Of the TPM whose AK is bound, if its EK is still enrolled; empty: none is.
  Bytes ek_name = {};
  // What the attestation of that TPM lacks; absent: nothing. Without a TPM it has nothing to say.
  std::optional<provisioning::AttestationShortfall> shortfall = {};

  bool has_attested() const { return !ek_name.empty() && !shortfall; }
  device_ca::Ground ground() const { return ground_of(statement); }
};

// Where provisioning and the verifier meet, for whoever asks for a certificate. All outlive it.
class Applicants {
 public:
  Applicants(const provisioning::Registrar& registrar, const Clock& clock) : registrar_(registrar), clock_(clock) {}

  // kNotFound "enrollment.unknown"; kRefused "enrollment.disabled", and what may() says.
  Result<Applicant> find(provisioning::RecordsView& records, verifier::RecordsView& attestations, const ScopeId& scope,
                         const RegistrationId& registration) const;

  // Whether the device of this certificate may use it. The same errors: of a group, "enrollment.unknown" also of who
  // was taken off it or deregistered; kRefused "certificate.revoked": the statement under which it was given is not the
  // one that stands for its device; "certificate.key-elsewhere": that one is, and the TPM that has its key is not
  // enrolled any more.
  Status may_use(provisioning::RecordsView& records, const device_ca::DeviceCertificate& certificate) const;

  // Whether the keys that a registration had under this are a device's still, in this scope: its enrollment is there,
  // or its device in the group; or an enrollment of its own took the group's place. For device_ca::Desk; `records`
  // outlive it.
  static device_ca::GroundStands stands_in(provisioning::RecordsView& records, const ScopeId& scope);
  // The same of a one-time secret, which an operator gave under this statement and under no other.
  static device_ca::GroundStands secret_stands_in(provisioning::RecordsView& records, const ScopeId& scope);

 private:
  const provisioning::Registrar& registrar_;
  const Clock& clock_;
};

// What a request wants to be called decides nothing, but a common name must be that of the device, or absent: a client
// that thinks to be somebody else shall know it. kRefused "certificate.common-name".
Status check_requested_names(const crypto::RequestedNames& names, const RegistrationId& registration);

}  // namespace warifu::front::certificates
