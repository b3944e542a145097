#include "front/dps_service/enrollment_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/place.h"
#include "crypto/digest.h"
#include "front/api/enrollment_messages.h"
#include "front/dps_service/terms_json.h"

namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using provisioning::CertificatePair;

constexpr std::size_t kThumbprintSize = 64;

template <class Id>
Result<Id> parse_id(const wire::JsonFields& fields, std::string_view name) {
  TRY(const auto text, fields.required_string(name));
  auto id = Id::parse(text);
  if (!id) return at(std::move(id).error(), fields.path_of(name));
  return id;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return out;
}

std::string thumbprint_of(const Bytes& der) {
  return upper(to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {der}).bytes()));
}

// {"certificate": PEM or DER in base64} or, as it was read, {"info": {"sha256Thumbprint"}}.
Result<CertificateName> parse_certificate_name(const wire::JsonFields& fields) {
  TRY(const auto text, fields.optional_string("certificate"));
  if (text) {
    TRY(auto der, api::parse_certificate(*text, fields.path_of("certificate")));
    return CertificateName(std::move(der));
  }
  TRY(const auto info, fields.optional_object("info"));
  if (!info) return invalid_input("enrollment.certificate", "expected a certificate", fields.path_of("certificate"));
  TRY(const auto thumbprint, info->required_string("sha256Thumbprint"));
  if (thumbprint.size() != kThumbprintSize)
    return invalid_input("enrollment.certificate", "a SHA-256 thumbprint has 64 digits of hexadecimal",
                         info->path_of("sha256Thumbprint"));
  return CertificateName(upper(thumbprint));
}

Result<CertificateNames> parse_certificate_names(const wire::JsonFields& attestation, std::string_view member,
                                                 std::string_view not_this) {
  TRY(const auto x509, attestation.required_object("x509"));
  if (const auto* references = x509.find("caReferences"); references != nullptr && !references->is_null())
    return invalid_input("enrollment.ca_references",
                         "there is no list of CA certificates here to refer to: give the CA itself in "
                         "signingCertificates of an enrollment group",
                         x509.path_of("caReferences"));
  if (const auto* other = x509.find(not_this); other != nullptr && !other->is_null())
    return invalid_input("enrollment.certificate",
                         fmt::format("an individual enrollment has clientCertificates, an enrollment group "
                                     "signingCertificates: expected {}",
                                     member),
                         x509.path_of(not_this));
  TRY(const auto pair, x509.required_object(member));
  TRY(const auto primary, pair.required_object("primary"));
  TRY(auto first, parse_certificate_name(primary));
  CertificateNames names{std::move(first), std::nullopt};
  TRY(const auto secondary, pair.optional_object("secondary"));
  if (secondary) {
    TRY(names.secondary, parse_certificate_name(*secondary));
  }
  return names;
}

Result<std::optional<SecretBytes>> parse_key(const wire::JsonFields& fields, std::string_view name) {
  TRY(auto text, fields.optional_string(name));
  if (!text || text->empty()) return std::optional<SecretBytes>();
  auto bytes = from_base64(*text);
  wipe(*text);
  if (!bytes) return at(std::move(bytes).error(), fields.path_of(name));
  return std::optional(SecretBytes(*std::move(bytes)));
}

Result<provisioning::SymmetricKeyRequest> parse_keys(const wire::JsonFields& attestation) {
  provisioning::SymmetricKeyRequest request;
  TRY(const auto fields, attestation.optional_object("symmetricKey"));
  if (!fields) return request;
  TRY(request.primary, parse_key(*fields, "primaryKey"));
  TRY(request.secondary, parse_key(*fields, "secondaryKey"));
  return request;
}

// The storageRootKey is the device's to show: whatever stands here is left alone.
Result<provisioning::TpmRequest> parse_tpm(const wire::JsonFields& attestation) {
  TRY(const auto tpm, attestation.required_object("tpm"));
  TRY(const auto text, tpm.required_string("endorsementKey"));
  TRY(auto ek, api::parse_ek(text, tpm.path_of("endorsementKey")));
  return provisioning::TpmRequest{std::move(ek)};
}

Error unknown_type(const std::string& type, const wire::JsonFields& attestation) {
  return invalid_input("enrollment.attestation",
                       fmt::format("the attestation type \"{}\" is not served: tpm, x509 or symmetricKey", type),
                       attestation.path_of("type"));
}

provisioning::SymmetricKeyRequest copy_of(const provisioning::SymmetricKeyRequest& request) {
  provisioning::SymmetricKeyRequest copy;
  if (request.primary) copy.primary = request.primary->clone();
  if (request.secondary) copy.secondary = request.secondary->clone();
  return copy;
}

Result<Bytes> find_certificate(const CertificateName& name, const CertificatePair* known) {
  if (const auto* der = std::get_if<Bytes>(&name)) return *der;
  const auto& thumbprint = std::get<std::string>(name);
  if (known != nullptr && thumbprint_of(known->primary) == thumbprint) return known->primary;
  if (known != nullptr && known->secondary && thumbprint_of(*known->secondary) == thumbprint) return *known->secondary;
  return invalid_input(
      "enrollment.certificate",
      fmt::format("no certificate with the SHA-256 thumbprint {} is there: send the certificate", thumbprint),
      "attestation.x509");
}

Result<provisioning::X509Request> find_certificates(const CertificateNames& names, const CertificatePair* known) {
  CertificatePair pair;
  TRY(pair.primary, find_certificate(names.primary, known));
  if (names.secondary) {
    TRY(pair.secondary, find_certificate(*names.secondary, known));
  }
  return provisioning::X509Request{std::move(pair)};
}

template <class Stored>
provisioning::Terms with_ours(provisioning::Terms terms, const std::optional<Stored>& before) {
  if (!before) return terms;
  terms.approve_srk_changes = before->terms.approve_srk_changes;
  terms.required_attestation = before->terms.required_attestation;
  terms.attestation_interval = before->terms.attestation_interval;
  terms.allow_software_keys = before->terms.allow_software_keys;
  return terms;
}

template <class Stored>
void add_record(json::object& object, const Stored& stored) {
  object["etag"] = etag_of(stored.revision);
  object["createdDateTimeUtc"] = to_rfc3339(stored.created_at);
  object["lastUpdatedDateTimeUtc"] = to_rfc3339(stored.updated_at);
}

}  // namespace

Result<IndividualEnrollment> parse_individual_enrollment(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  return parse_individual_enrollment(fields);
}

Result<IndividualEnrollment> parse_individual_enrollment(const wire::JsonFields& fields) {
  TRY(auto registration, parse_id<RegistrationId>(fields, "registrationId"));
  TRY(const auto attestation, fields.required_object("attestation"));
  TRY(auto terms, parse_terms(fields));
  IndividualEnrollment enrollment{
      std::move(registration), provisioning::SymmetricKeyRequest{}, {}, std::move(terms), {}};
  TRY(const auto device_id, fields.optional_string("deviceId"));
  if (device_id && !device_id->empty()) {
    TRY(enrollment.device_id, parse_id<DeviceId>(fields, "deviceId"));
  }
  TRY(enrollment.etag, fields.optional_string("etag"));
  TRY(const auto type, attestation.required_string("type"));
  if (type == "tpm") {
    TRY(enrollment.attestation, parse_tpm(attestation));
  } else if (type == "x509") {
    TRY(enrollment.attestation, parse_certificate_names(attestation, "clientCertificates", "signingCertificates"));
  } else if (type == "symmetricKey") {
    TRY(enrollment.attestation, parse_keys(attestation));
  } else {
    return unknown_type(type, attestation);
  }
  return enrollment;
}

Result<GroupEnrollment> parse_enrollment_group(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY(auto group_id, parse_id<GroupId>(fields, "enrollmentGroupId"));
  TRY(const auto attestation, fields.required_object("attestation"));
  TRY(auto terms, parse_terms(fields));
  GroupEnrollment group{std::move(group_id), TpmGroup{}, std::move(terms)};
  TRY(const auto type, attestation.required_string("type"));
  if (type == "x509") {
    TRY(group.attestation, parse_certificate_names(attestation, "signingCertificates", "clientCertificates"));
  } else if (type == "symmetricKey") {
    TRY(group.attestation, parse_keys(attestation));
  } else if (type != "tpm") {
    return unknown_type(type, attestation);
  }
  return group;
}

Result<provisioning::EnrollmentRequest> complete(const IndividualEnrollment& asked,
                                                 const std::optional<provisioning::Enrollment>& before) {
  provisioning::EnrollmentRequest request{asked.registration_id, provisioning::SymmetricKeyRequest{}, asked.device_id,
                                          with_ours(asked.terms, before)};
  if (const auto* tpm = std::get_if<provisioning::TpmRequest>(&asked.attestation)) {
    request.attestation = *tpm;
  } else if (const auto* names = std::get_if<CertificateNames>(&asked.attestation)) {
    const auto* known = before ? std::get_if<provisioning::X509Attestation>(&before->attestation) : nullptr;
    TRY(request.attestation, find_certificates(*names, known == nullptr ? nullptr : &known->client));
  } else {
    request.attestation = copy_of(std::get<provisioning::SymmetricKeyRequest>(asked.attestation));
  }
  return request;
}

Result<provisioning::GroupRequest> complete(const GroupEnrollment& asked,
                                            const std::optional<provisioning::EnrollmentGroup>& before) {
  provisioning::GroupRequest request{asked.group_id, provisioning::SymmetricKeyRequest{},
                                     with_ours(asked.terms, before)};
  if (std::holds_alternative<TpmGroup>(asked.attestation)) {
    // What Azure's clients do not see of it stays as it is.
    const auto* list = before ? std::get_if<provisioning::EkListAttestation>(&before->attestation) : nullptr;
    const auto* by = before ? std::get_if<provisioning::EkAuthorityAttestation>(&before->attestation) : nullptr;
    if (list == nullptr && by == nullptr)
      return invalid_input("enrollment.attestation",
                           "Azure has no TPM groups: make one with the native API (POST /api/v1/enrollment-groups)",
                           "attestation.type");
    if (list != nullptr)
      request.attestation = provisioning::EkListRequest{list->naming};
    else
      request.attestation = provisioning::EkAuthorityRequest{by->naming, by->authorities, by->approve_uncertified};
  } else if (const auto* names = std::get_if<CertificateNames>(&asked.attestation)) {
    const auto* known = before ? std::get_if<provisioning::X509GroupAttestation>(&before->attestation) : nullptr;
    TRY(request.attestation, find_certificates(*names, known == nullptr ? nullptr : &known->signing));
  } else {
    request.attestation = copy_of(std::get<provisioning::SymmetricKeyRequest>(asked.attestation));
  }
  return request;
}

std::string etag_of(const Uuid& revision) {
  return fmt::format("\"{}\"", revision.text());
}

json::object to_json(const provisioning::Enrollment& enrollment) {
  json::object object{{"registrationId", enrollment.registration_id.text()},
                      {"attestation", to_json(enrollment.attestation, nullptr)}};
  if (enrollment.device_id) object["deviceId"] = enrollment.device_id->text();
  add_terms(object, enrollment.terms);
  add_record(object, enrollment);
  return object;
}

json::object to_json(const provisioning::EnrollmentGroup& group) {
  json::object object{{"enrollmentGroupId", group.group_id.text()},
                      {"attestation", to_json(group.attestation, nullptr)}};
  add_terms(object, group.terms);
  add_record(object, group);
  return object;
}

}  // namespace warifu::front::dps_service
