#include "front/dps_service/service_api.h"

namespace warifu::front::dps_service {
namespace {

// Every SDK sends one. Ours is one version for all of them: nothing of these messages has changed since the first.
Status check_version(const Call& call) {
  const auto version = call.target.parameter("api-version");
  if (version && !version->empty()) return {};
  return invalid_input("request.api_version", "the request needs the query parameter api-version", "api-version");
}

}  // namespace

std::vector<Route> ServiceApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto bind = [this](Result<Answer> (ServiceApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) -> Result<Answer> {
      TRY_STATUS(check_version(call));
      return (this->*handle)(call);
    };
  };
  const auto reads = Access::demands(Permission::kEnrollmentRead);
  const auto writes = Access::demands(Permission::kEnrollmentWrite);
  const auto reveals = Access::demands(Permission::kEnrollmentKeyRead);
  const auto sees = Access::demands(Permission::kDeviceRead);
  return {
      {kPost, "/enrollments", writes, bind(&ServiceApi::bulk_enrollments)},
      {kPost, "/enrollments/", writes, bind(&ServiceApi::bulk_enrollments)},  // as the Node SDK writes it
      {kPost, "/enrollments/query", reads, bind(&ServiceApi::query_enrollments)},
      {kPut, "/enrollments/{registration_id}", writes, bind(&ServiceApi::put_enrollment)},
      {kGet, "/enrollments/{registration_id}", reads, bind(&ServiceApi::show_enrollment)},
      {kDelete, "/enrollments/{registration_id}", writes, bind(&ServiceApi::remove_enrollment)},
      {kPost, "/enrollments/{registration_id}/attestationmechanism", reveals,
       bind(&ServiceApi::show_enrollment_attestation)},
      {kPost, "/enrollmentGroups/query", reads, bind(&ServiceApi::query_groups)},
      {kPut, "/enrollmentGroups/{group_id}", writes, bind(&ServiceApi::put_group)},
      {kGet, "/enrollmentGroups/{group_id}", reads, bind(&ServiceApi::show_group)},
      {kDelete, "/enrollmentGroups/{group_id}", writes, bind(&ServiceApi::remove_group)},
      {kPost, "/enrollmentGroups/{group_id}/attestationmechanism", reveals, bind(&ServiceApi::show_group_attestation)},
      {kGet, "/registrations/{registration_id}", sees, bind(&ServiceApi::show_registration)},
      // Whoever may delete an enrollment, which takes the device's credentials with it, may do this.
      {kDelete, "/registrations/{registration_id}", writes, bind(&ServiceApi::remove_registration)},
      {kPost, "/registrations/{group_id}/query", sees, bind(&ServiceApi::query_registrations)},
  };
}

}  // namespace warifu::front::dps_service
