#pragma once

#include "application_keys/desk.h"
#include "ek_trust/certificate_desk.h"
#include "front/dps/attempt_log.h"
#include "front/dps/shown_certificate.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "provisioning/registrar.h"
#include "store/store.h"

namespace warifu::front::dps {

// The device API of Azure DPS over HTTPS (docs/protocols/dps.md): register, operation status, registration lookup, for
// devices with a TPM, a client certificate or a symmetric key. The objects that it is given outlive it.
class DeviceApi {
 public:
  DeviceApi(provisioning::Registrar& registrar, const ek_trust::CertificateDesk& certificates,
            const application_keys::Desk& keys, store::Store& store, Metrics& metrics, AttemptLog& attempts,
            const Clock& clock)
      : registrar_(registrar),
        certificates_(certificates),
        keys_(keys),
        store_(store),
        metrics_(metrics),
        attempts_(attempts),
        clock_(clock) {}

  std::vector<Route> routes();

 private:
  // How far a request came that is not refused, for the diary.
  struct Reached {
    std::string stage;
    std::string message = {};  // of one that waits: for what
  };
  using Handler = Result<Answer> (DeviceApi::*)(const Call&, Reached&);

  // What a request shows, with its body.
  struct Shown {
    provisioning::Claim claim;
    std::optional<ShownCertificate> certificate;
  };
  // A device that proved itself, and the certificate by which its group takes it.
  struct Proven {
    provisioning::ProvenDevice device;
    std::optional<ek_trust::CertifiedEk> certified;
  };
  static Result<Shown> shown_by(const Call& call);
  Result<Answer> register_device(const Call& call, Reached& reached);
  Result<Answer> challenge(const Shown& shown);
  Result<Answer> open_operation(const ScopeId& scope, Proven proven);
  Result<Answer> operation_status(const Call& call, Reached& reached);
  Result<Answer> resume(const provisioning::Waiting& waiting, Reached& reached);
  Result<Answer> registration_lookup(const Call& call, Reached& reached);

  static Reached waits_for(const provisioning::Waiting& waiting);
  // Runs the handler and writes down what becomes of it, for the operator who asks why a device does not come.
  Result<Answer> keep_diary(const Call& call, std::string_view stage, Handler handle);

  provisioning::Registrar& registrar_;
  const ek_trust::CertificateDesk& certificates_;
  const application_keys::Desk& keys_;
  store::Store& store_;
  Metrics& metrics_;
  AttemptLog& attempts_;
  const Clock& clock_;
};

}  // namespace warifu::front::dps
