#include "front/api/operator_router.h"

#include <algorithm>
#include <iterator>

#include "front/dps_service/service_errors.h"
#include "front/http/problem.h"

namespace warifu::front::api {

Router router(OperatorApi& operators, EnrollmentApi& enrollments, dps_service::ServiceApi& service,
              const Clock& clock) {
  auto routes = operators.routes();
  std::ranges::move(enrollments.routes(), std::back_inserter(routes));
  std::ranges::move(service.routes(), std::back_inserter(routes));
  return {std::move(routes), [&clock](const Error& error, std::string_view tracking_id, std::string_view target) {
            if (dps_service::is_service_target(target))
              return dps_service::error_response(error, tracking_id, clock.now());
            return problem(error, tracking_id);
          }};
}

}  // namespace warifu::front::api
