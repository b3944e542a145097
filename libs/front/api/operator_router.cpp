#include "front/api/operator_router.h"

#include <algorithm>
#include <iterator>

#include "front/api/body_limits.h"
#include "front/dps_service/service_errors.h"
#include "front/http/problem.h"

namespace warifu::front::api {

Router router(OperatorDoors doors, const Clock& clock) {
  std::vector<Route> routes;
  for (auto&& part :
       {doors.operators.routes(), doors.enrollments.routes(), doors.groups.routes(), doors.registrations.routes(),
        doors.ek_trust.routes(), doors.attestations.routes(), doors.policies.routes(), doors.data_packages.routes(),
        doors.verification.routes(), doors.webhooks.routes(), doors.certificates.routes(),
        doors.application_keys.routes(), doors.service.routes()})
    std::ranges::transform(part, std::back_inserter(routes), with_body_limit);
  return {std::move(routes), [&clock](const Error& error, std::string_view tracking_id, std::string_view target) {
            if (dps_service::is_service_target(target))
              return dps_service::error_response(error, tracking_id, clock.now());
            return problem(error, tracking_id);
          }};
}

}  // namespace warifu::front::api
