#pragma once

#include "front/api/enrollment_api.h"
#include "front/api/operator_api.h"
#include "front/http/route.h"

namespace warifu::front::api {

// Everything on the operators listener, with errors as problem details (RFC 9457).
Router router(OperatorApi& operators, EnrollmentApi& enrollments);

}  // namespace warifu::front::api
