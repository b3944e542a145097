#pragma once

#include "device_ca/desk.h"
#include "front/http/route.h"
#include "store/store.h"

namespace warifu::front::api {

// Certificates of devices, for operators: which there are, and how they stand. The objects that it is given outlive it.
class CertificateApi {
 public:
  CertificateApi(const device_ca::Desk& desk, store::Store& store) : desk_(desk), store_(store) {}

  std::vector<Route> routes();

 private:
  Result<Answer> list(const Call& call);
  Result<Answer> show(const Call& call);
  Result<Answer> activate(const Call& call);
  Result<Answer> suspend(const Call& call);
  Result<Answer> resume(const Call& call);
  Result<Answer> revoke(const Call& call);
  Result<Answer> issue_secret(const Call& call);

  using Change = std::function<Status(device_ca::Records&, audit::Trail&)>;
  // Makes the change, and answers with the certificate as it stands then.
  Answer changed(const Call& call, const crypto::SerialNumber& serial, Change change) const;

  const device_ca::Desk& desk_;
  store::Store& store_;
};

}  // namespace warifu::front::api
