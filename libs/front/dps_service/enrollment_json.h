#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "provisioning/enrollment_request.h"
#include "provisioning/records.h"
#include "provisioning/shared_keys.h"
#include "wire/json.h"

// Azure's IndividualEnrollment and EnrollmentGroup as JSON (docs/protocols/dps-service.md). Members that are not known
// are taken from newer SDKs and left alone; whatever to_json() writes, the parsers read.
namespace warifu::front::dps_service {

// A certificate itself, or the SHA-256 thumbprint (upper-case hexadecimal) under which to_json() showed it: what was
// read can be written back without it.
using CertificateName = std::variant<Bytes, std::string>;
struct CertificateNames {
  CertificateName primary;
  std::optional<CertificateName> secondary;
};

// An individual enrollment as it is asked for. What it leaves unsaid is that of the one that is there: complete().
struct IndividualEnrollment {
  RegistrationId registration_id;
  std::variant<provisioning::TpmRequest, CertificateNames, provisioning::SymmetricKeyRequest> attestation;
  std::optional<DeviceId> device_id;
  provisioning::Terms terms;
  std::optional<std::string> etag;  // as it was written
};

// A TPM group is ours, not Azure's: it can be changed here, and is made with the native API.
struct TpmGroup {};
struct GroupEnrollment {
  GroupId group_id;
  std::variant<TpmGroup, CertificateNames, provisioning::SymmetricKeyRequest> attestation;
  provisioning::Terms terms;
};

Result<IndividualEnrollment> parse_individual_enrollment(std::string_view body);
Result<IndividualEnrollment> parse_individual_enrollment(const wire::JsonFields& fields);
Result<GroupEnrollment> parse_enrollment_group(std::string_view body);

// What Azure's objects have no word for (approve_srk_changes, required_attestation, attestation_interval_seconds,
// allow_software_keys, the naming of a TPM group) stays as it is, and so do certificates that are named by their
// thumbprint. kInvalidInput "enrollment.certificate": no certificate of that thumbprint is there;
// "enrollment.attestation": there is no such TPM group.
Result<provisioning::EnrollmentRequest> complete(const IndividualEnrollment& asked,
                                                 const std::optional<provisioning::Enrollment>& before);
Result<provisioning::GroupRequest> complete(const GroupEnrollment& asked,
                                            const std::optional<provisioning::EnrollmentGroup>& before);

// Without keys; certificates as their `info`.
boost::json::object to_json(const provisioning::Enrollment& enrollment);
boost::json::object to_json(const provisioning::EnrollmentGroup& group);
// The attestation mechanism alone; `keys` are those of a symmetric-key one, or null.
boost::json::object to_json(const provisioning::Attestation& attestation, const provisioning::SharedKeys* keys);
boost::json::object to_json(const provisioning::GroupAttestation& attestation, const provisioning::SharedKeys* keys);

// A revision as an ETag: with its quotes.
std::string etag_of(const Uuid& revision);

}  // namespace warifu::front::dps_service
