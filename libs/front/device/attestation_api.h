#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "device_ca/desk.h"
#include "ek_trust/certificate_desk.h"
#include "front/certificates/applicants.h"
#include "front/device/visits.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "provisioning/registrar.h"
#include "store/store.h"
#include "verifier/desk.h"

namespace warifu::front::device {

// Where our own devices show what they run (docs/protocols/attestation.md). On the devices listener, beside DPS. What
// is judged is judged on the request's thread, against a snapshot; what is written is written if the ledger is still
// the one that it was judged by. The objects that it is given outlive it.
class AttestationApi {
 public:
  // What an attestation changes for the certificates of its device.
  struct Certificates {
    const device_ca::Desk& desk;
    const front::certificates::Applicants& applicants;
  };

  AttestationApi(const verifier::Desk& desk, const provisioning::Registrar& registrar,
                 const ek_trust::CertificateDesk& certificates, Certificates issued, store::Store& store,
                 Metrics& metrics, dps::AttemptLog& attempts, const Clock& clock)
      : desk_(desk),
        registrar_(registrar),
        certificates_(certificates),
        issued_(issued),
        store_(store),
        metrics_(metrics),
        visits_(desk, attempts, clock) {}

  std::vector<Route> routes();

 private:
  using Handler = Result<Answer> (AttestationApi::*)(const Call&, const verifier::DeviceKey&);
  struct Proven;
  Result<Answer> make_credential(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> activate(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> make_nonce(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> take_evidence(const Call& call, const verifier::DeviceKey& device);

  // Who a token says is there, if his EK is enrolled still.
  Result<Proven> prove(store::Snapshot& snapshot, const verifier::DeviceKey& device, ByteView ak_name) const;
  // What was issued to this TPM and waits is active, if this attestation is good enough for it.
  Status activate_certificates(store::Transaction& transaction, const verifier::DeviceKey& device) const;
  Status tell_of_waiting(store::Transaction& transaction, const verifier::DeviceKey& device, ByteView ek_name) const;
  Status may_send_large_body(const net::HttpRequest& request, const std::vector<std::string>& parameters) const;

  const verifier::Desk& desk_;
  const provisioning::Registrar& registrar_;
  const ek_trust::CertificateDesk& certificates_;
  const Certificates issued_;
  store::Store& store_;
  Metrics& metrics_;
  const Visits visits_;
};

}  // namespace warifu::front::device
