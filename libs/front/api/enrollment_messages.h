#pragma once

#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "ek_trust/certificate_desk.h"
#include "provisioning/enrollment_request.h"
#include "provisioning/records.h"
#include "provisioning/shared_keys.h"
#include "wire/json.h"

// Enrollments and groups as JSON (docs/openapi/warifu-v1.yaml). Unknown members are refused.
namespace warifu::front::api {

// An enrollment as it is asked for, and the certificate that came with its EK.
struct EnrollmentBody {
  provisioning::EnrollmentRequest request;
  std::optional<ek_trust::CertifiedEk> certified_ek = {};
};
// {"registration_id", "attestation", "device_id"?, terms…}
Result<EnrollmentBody> parse_enrollment(std::string_view body);
Result<EnrollmentBody> parse_enrollment(const wire::JsonFields& fields);
// {"group_id", "attestation", terms…}
Result<provisioning::GroupRequest> parse_group(std::string_view body);

// What every enrollment and group may say: "enabled", "reprovision", "allocation", "hubs", "approve_srk_changes",
// "allow_software_keys", "iot_edge", "initial_twin", "custom_allocation", "device_information".
Result<provisioning::Terms> parse_terms(const wire::JsonFields& fields);

// A certificate as people have it: PEM, or DER in base64. kInvalidInput "enrollment.certificate".
Result<Bytes> parse_certificate(std::string_view text, std::string where);
// An EK in base64: TPM2B_PUBLIC or TPMT_PUBLIC.
Result<tpm::EkPublic> parse_ek(std::string_view text, std::string where);
// The "endorsement_certificate" that came with `ek`, PEM or DER in base64; nullopt when it is absent. Codes of
// ek_trust::CertifiedEk::make() and endorsement::EkCertificate::parse().
Result<std::optional<ek_trust::CertifiedEk>> parse_certified_ek(const wire::JsonFields& fields,
                                                                const tpm::EkPublic& ek);

// Without keys: those are read at their own route, with an entry in the audit log.
boost::json::object to_json(const provisioning::Enrollment& enrollment);
boost::json::object to_json(const provisioning::EnrollmentGroup& group);
boost::json::object to_json(const provisioning::GroupEk& ek);
boost::json::object to_json(const provisioning::SharedKeys& keys);
// {"outcome": "created" | "updated" | "unchanged", "changes": [{"field", "from", "to"}]}
boost::json::object to_json(const provisioning::Outcome& outcome);
// Adds those members.
void add_outcome(boost::json::object& object, const provisioning::Outcome& outcome);

}  // namespace warifu::front::api
