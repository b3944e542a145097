#include "front/api/operator_router.h"

#include <iterator>

#include "front/http/problem.h"

namespace warifu::front::api {

Router router(OperatorApi& operators, EnrollmentApi& enrollments) {
  auto routes = operators.routes();
  std::ranges::move(enrollments.routes(), std::back_inserter(routes));
  return {std::move(routes), [](const Error& error, std::string_view tracking_id, std::string_view) {
            return problem(error, tracking_id);
          }};
}

}  // namespace warifu::front::api
