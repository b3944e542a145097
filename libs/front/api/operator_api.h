#pragma once

#include "ek_trust/certificate_desk.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "operators/desk.h"
#include "provisioning/device_desk.h"
#include "provisioning/escrow_desk.h"
#include "provisioning/registrar.h"
#include "store/store.h"

namespace warifu::front::api {

// The native API for operators (docs/openapi/warifu-v1.yaml is its description; a test holds the two together), and
// what monitoring reads. The objects that it is given outlive it.
class OperatorApi {
 public:
  // `service_host` stands as HostName in connection strings.
  OperatorApi(const operators::Desk& desk, const provisioning::DeviceDesk& devices,
              const ek_trust::CertificateDesk& certificates, const provisioning::EscrowDesk& escrow,
              const provisioning::Registrar& registrar, store::Store& store, Metrics& metrics, std::string service_host)
      : desk_(desk),
        devices_(devices),
        certificates_(certificates),
        escrow_(escrow),
        registrar_(registrar),
        store_(store),
        metrics_(metrics),
        service_host_(std::move(service_host)) {}

  std::vector<Route> routes();

 private:
  Result<Answer> login(const Call& call);
  Result<Answer> show_id_scope(const Call& call);
  Result<Answer> create_service_key(const Call& call);
  Result<Answer> list_service_keys(const Call& call);
  Result<Answer> remove_service_key(const Call& call);
  Result<Answer> list_devices(const Call& call);
  Result<Answer> show_device(const Call& call);
  Result<Answer> show_hub_key(const Call& call);
  Result<Answer> show_escrow(const Call& call);
  Result<Answer> healthz(const Call& call);
  Result<Answer> readyz(const Call& call);
  Result<Answer> metrics(const Call& call);

  const operators::Desk& desk_;
  const provisioning::DeviceDesk& devices_;
  const ek_trust::CertificateDesk& certificates_;
  const provisioning::EscrowDesk& escrow_;
  const provisioning::Registrar& registrar_;
  store::Store& store_;
  Metrics& metrics_;
  const std::string service_host_;
};

}  // namespace warifu::front::api
