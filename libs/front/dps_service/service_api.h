#pragma once

#include "application_keys/desk.h"
#include "front/http/route.h"
#include "provisioning/device_desk.h"
#include "provisioning/enrollment_desk.h"
#include "provisioning/group_desk.h"
#include "store/store.h"

namespace warifu::front::dps_service {

// The service API of Azure DPS over HTTPS (docs/protocols/dps-service.md), for the vendor's service SDKs: enrollments,
// enrollment groups, registrations, queries, bulk. The objects that it is given outlive it.
class ServiceApi {
 public:
  ServiceApi(const provisioning::EnrollmentDesk& enrollments, const provisioning::GroupDesk& groups,
             const provisioning::DeviceDesk& devices, const application_keys::Desk& keys, store::Store& store)
      : enrollments_(enrollments), groups_(groups), devices_(devices), keys_(keys), store_(store) {}

  std::vector<Route> routes();

 private:
  Result<Answer> put_enrollment(const Call& call);
  Result<Answer> show_enrollment(const Call& call);
  Result<Answer> remove_enrollment(const Call& call);
  Result<Answer> show_enrollment_attestation(const Call& call);
  Result<Answer> query_enrollments(const Call& call);
  Result<Answer> bulk_enrollments(const Call& call);

  Result<Answer> put_group(const Call& call);
  Result<Answer> show_group(const Call& call);
  Result<Answer> remove_group(const Call& call);
  Result<Answer> show_group_attestation(const Call& call);
  Result<Answer> query_groups(const Call& call);

  Result<Answer> show_registration(const Call& call);
  Result<Answer> remove_registration(const Call& call);
  Result<Answer> query_registrations(const Call& call);

  const provisioning::EnrollmentDesk& enrollments_;
  const provisioning::GroupDesk& groups_;
  const provisioning::DeviceDesk& devices_;
  const application_keys::Desk& keys_;
  store::Store& store_;
};

}  // namespace warifu::front::dps_service
