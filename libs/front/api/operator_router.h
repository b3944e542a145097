#pragma once

#include "front/api/enrollment_api.h"
#include "front/api/operator_api.h"
#include "front/dps_service/service_api.h"
#include "front/http/route.h"

namespace warifu::front::api {

// Everything on the operators listener. Errors are problem details (RFC 9457), and under the paths of the DPS service
// API those that its SDKs read.
Router router(OperatorApi& operators, EnrollmentApi& enrollments, dps_service::ServiceApi& service, const Clock& clock);

}  // namespace warifu::front::api
