#pragma once

#include "front/http/route.h"
#include "front/metrics.h"
#include "provisioning/registrar.h"
#include "store/store.h"

namespace warifu::front::dps {

// The device API of Azure DPS over HTTPS, for TPM attestation (docs/protocols/dps.md): register, operation status,
// registration lookup. The objects that it is given outlive it.
class DeviceApi {
 public:
  DeviceApi(provisioning::Registrar& registrar, store::Store& store, Metrics& metrics)
      : registrar_(registrar), store_(store), metrics_(metrics) {}

  std::vector<Route> routes();

 private:
  Result<Answer> register_device(const Call& call);
  Result<Answer> challenge(const ScopeId& scope, const RegistrationId& registration,
                           const std::optional<provisioning::Offer>& offer);
  Result<Answer> open_operation(const ScopeId& scope, provisioning::ProvenDevice device);
  Result<Answer> operation_status(const Call& call);
  Result<Answer> registration_lookup(const Call& call);

  provisioning::Registrar& registrar_;
  store::Store& store_;
  Metrics& metrics_;
};

}  // namespace warifu::front::dps
