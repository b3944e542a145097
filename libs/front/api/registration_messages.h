#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "front/http/route.h"
#include "provisioning/explanation.h"

// Approvals, alerts and explanations as JSON (docs/openapi/warifu-v1.yaml).
namespace warifu::front::api {

// {"registration_id", "kind", "subject"}
Result<provisioning::AlertKey> parse_acknowledgement(std::string_view body);

// {"ek_name", "srk_name"}: the wish that the operator looked at.
Result<provisioning::ApprovalKeys> parse_approval_keys(std::string_view body);

// As page_of(); the key is "registration ID~kind~subject".
Result<provisioning::Page<provisioning::AlertKey>> alert_page_of(const Call& call);
std::string cursor_of(const provisioning::Alert& alert);

boost::json::object to_json(const provisioning::Approval& approval);
boost::json::object to_json(const provisioning::AttestationShortfall& shortfall);
boost::json::object to_json(const provisioning::WaitingRegistration& waiting);
boost::json::object to_json(const provisioning::Alert& alert);
boost::json::object to_json(const provisioning::Attempt& attempt);
// With the verdict. Enrollment and group are told in short: who may read them reads them at their own routes.
boost::json::object to_json(const provisioning::RegistrationStory& story);

}  // namespace warifu::front::api
