#pragma once

#include "application_keys/desk.h"
#include "ek_trust/certificate_desk.h"
#include "front/http/route.h"
#include "provisioning/group_desk.h"
#include "store/store.h"

namespace warifu::front::api {

// Enrollment groups: the groups themselves, the EKs of TPM groups, and the devices that came under a group. The objects
// that it is given outlive it.
class GroupApi {
 public:
  GroupApi(const provisioning::GroupDesk& desk, const ek_trust::CertificateDesk& certificates,
           const application_keys::Desk& keys, store::Store& store)
      : desk_(desk), certificates_(certificates), keys_(keys), store_(store) {}

  std::vector<Route> routes();

 private:
  Result<Answer> create(const Call& call);
  Result<Answer> put(const Call& call);
  Result<Answer> list(const Call& call);
  Result<Answer> show(const Call& call);
  Result<Answer> remove(const Call& call);
  Result<Answer> show_keys(const Call& call);
  Result<Answer> add_eks(const Call& call);
  Result<Answer> list_eks(const Call& call);
  Result<Answer> remove_ek(const Call& call);
  Result<Answer> allow_ek(const Call& call);
  Result<Answer> list_devices(const Call& call);

  const provisioning::GroupDesk& desk_;
  const ek_trust::CertificateDesk& certificates_;
  const application_keys::Desk& keys_;
  store::Store& store_;
};

}  // namespace warifu::front::api
