#pragma once

#include "ek_trust/certificate_desk.h"
#include "front/http/route.h"
#include "provisioning/device_desk.h"
#include "store/store.h"

namespace warifu::front::api {

// What devices ask of operators and what should make operators look: approvals, alerts, and the explanation of one
// registration. The objects that it is given outlive it.
class RegistrationApi {
 public:
  RegistrationApi(const provisioning::DeviceDesk& desk, const ek_trust::CertificateDesk& certificates,
                  store::Store& store, const Clock& clock)
      : desk_(desk), certificates_(certificates), store_(store), clock_(clock) {}

  std::vector<Route> routes();

 private:
  Result<Answer> list_approvals(const Call& call);
  Result<Answer> approve(const Call& call);
  Result<Answer> reject(const Call& call);
  Result<Answer> list_alerts(const Call& call);
  Result<Answer> acknowledge(const Call& call);
  Result<Answer> explain(const Call& call);
  Result<Answer> list_waiting(const Call& call);

  const provisioning::DeviceDesk& desk_;
  const ek_trust::CertificateDesk& certificates_;
  store::Store& store_;
  const Clock& clock_;
};

}  // namespace warifu::front::api
