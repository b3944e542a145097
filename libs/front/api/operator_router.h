#pragma once

#include "front/api/application_key_api.h"
#include "front/api/attestation_api.h"
#include "front/api/certificate_api.h"
#include "front/api/data_package_api.h"
#include "front/api/ek_trust_api.h"
#include "front/api/enrollment_api.h"
#include "front/api/group_api.h"
#include "front/api/operator_api.h"
#include "front/api/policy_api.h"
#include "front/api/registration_api.h"
#include "front/api/verification_api.h"
#include "front/api/webhook_api.h"
#include "front/dps_service/service_api.h"
#include "front/http/route.h"

namespace warifu::front::api {

// What is served on the operators listener.
struct OperatorDoors {
  OperatorApi& operators;
  EnrollmentApi& enrollments;
  GroupApi& groups;
  RegistrationApi& registrations;
  EkTrustApi& ek_trust;
  AttestationApi& attestations;
  PolicyApi& policies;
  DataPackageApi& data_packages;
  VerificationApi& verification;
  WebhookApi& webhooks;
  CertificateApi& certificates;
  ApplicationKeyApi& application_keys;
  dps_service::ServiceApi& service;
};

// All of it. Errors are problem details (RFC 9457), and under the paths of the DPS service API those that its SDKs
// read.
Router router(OperatorDoors doors, const Clock& clock);

}  // namespace warifu::front::api
