#include "front/api/operator_router.h"

#include <algorithm>
#include <iterator>

#include "front/api/body_limits.h"
#include "front/http/problem.h"

namespace warifu::front::api {

Router router(OperatorApi& operators, EnrollmentApi& enrollments, GroupApi& groups, RegistrationApi& registrations) {
  std::vector<Route> routes;
  for (auto&& part : {operators.routes(), enrollments.routes(), groups.routes(), registrations.routes()})
    std::ranges::transform(part, std::back_inserter(routes), with_body_limit);
  return {std::move(routes), [](const Error& error, std::string_view tracking_id, std::string_view) {
            return problem(error, tracking_id);
          }};
}

}  // namespace warifu::front::api
