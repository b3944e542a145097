#pragma once

#include "front/api/enrollment_api.h"
#include "front/api/group_api.h"
#include "front/api/operator_api.h"
#include "front/api/registration_api.h"
#include "front/http/route.h"

namespace warifu::front::api {

// Everything on the operators listener, with errors as problem details (RFC 9457).
Router router(OperatorApi& operators, EnrollmentApi& enrollments, GroupApi& groups, RegistrationApi& registrations);

}  // namespace warifu::front::api
