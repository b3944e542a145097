#pragma once

#include <vector>

#include "front/certificates/office.h"
#include "front/device/visits.h"
#include "front/http/route.h"
#include "verifier/desk.h"

namespace warifu::front::device {

// Where our own devices prove their keys and get their certificates (docs/protocols/certificates.md). On the devices
// listener. The objects that it is given outlive it.
class CertificateApi {
 public:
  CertificateApi(certificates::Office& office, const certificates::Applicants& applicants,
                 const verifier::Desk& verifier, const provisioning::Registrar& registrar, store::Store& store,
                 dps::AttemptLog& attempts, const Clock& clock)
      : office_(office),
        applicants_(applicants),
        verifier_(verifier),
        registrar_(registrar),
        store_(store),
        clock_(clock),
        visits_(verifier, attempts, clock) {}

  std::vector<Route> routes();

 private:
  Result<Answer> make_nonce(const Call& call, const verifier::DeviceKey& device) const;
  Result<Answer> take_proof(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> show_self(const Call& call) const;

  // The AK that a token was given for, if its EK is enrolled still, and what it is enrolled by.
  struct Enrolled {
    verifier::BoundAk ak;
    device_ca::Ground ground;
  };
  Result<Enrolled> find_ak(const Call& call, const verifier::DeviceKey& device) const;

  certificates::Office& office_;
  const certificates::Applicants& applicants_;
  const verifier::Desk& verifier_;
  const provisioning::Registrar& registrar_;
  store::Store& store_;
  const Clock& clock_;
  const Visits visits_;
};

}  // namespace warifu::front::device
