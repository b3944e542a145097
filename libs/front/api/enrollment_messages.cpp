#include "front/api/enrollment_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/certificate.h"
#include "front/api/ek_trust_messages.h"
#include "front/api/fields.h"
#include "provisioning/limits.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using provisioning::CertificatePair;
using provisioning::Terms;

constexpr std::string_view kTermsNames[] = {"enabled",
                                            "reprovision",
                                            "allocation",
                                            "hubs",
                                            "approve_srk_changes",
                                            "required_attestation",
                                            "attestation_interval_seconds",
                                            "allow_software_keys",
                                            "iot_edge",
                                            "initial_twin",
                                            "custom_allocation",
                                            "device_information"};

Status refuse_unknown(const wire::JsonFields& fields, std::initializer_list<std::string_view> own) {
  std::vector<std::string_view> known(own);
  known.insert(known.end(), std::begin(kTermsNames), std::end(kTermsNames));
  return fields.refuse_unknown(known);
}

template <class T>
Result<T> parse_required_name(const wire::JsonFields& fields, std::string_view name,
                              Result<T> (*parse)(std::string_view)) {
  TRY(const auto text, fields.required_string(name));
  auto value = parse(text);
  if (!value) return at(std::move(value).error(), fields.path_of(name));
  return value;
}

template <class T>
Result<std::optional<T>> parse_name(const wire::JsonFields& fields, std::string_view name,
                                    Result<T> (*parse)(std::string_view)) {
  TRY(const auto text, fields.optional_string(name));
  if (!text) return std::optional<T>();
  auto value = parse(*text);
  if (!value) return at(std::move(value).error(), fields.path_of(name));
  return std::optional<T>(*std::move(value));
}

Result<std::vector<std::string>> parse_hubs(const wire::JsonFields& fields) {
  std::vector<std::string> hubs;
  TRY(const auto* array, fields.optional_array("hubs"));
  if (array == nullptr) return hubs;
  for (const auto& hub : *array) {
    if (!hub.is_string()) return invalid_input("json.type", "a hub is a text: the name of a host", "hubs");
    hubs.emplace_back(hub.get_string());
  }
  return hubs;
}

// A JSON object that is kept for somebody else.
Result<std::optional<std::string>> parse_opaque(const wire::JsonFields& fields, std::string_view name) {
  const auto* value = fields.find(name);
  if (value == nullptr || value->is_null()) return std::optional<std::string>();
  if (!value->is_object()) return invalid_input("json.type", "expected an object", fields.path_of(name));
  return std::optional(json::serialize(*value));
}

Result<bool> parse_bool(const wire::JsonFields& fields, std::string_view name, bool otherwise) {
  TRY(const auto value, fields.optional_bool(name));
  return value.value_or(otherwise);
}

// A number that no clock can count is out of every range.
Result<std::optional<std::chrono::seconds>> parse_interval(const wire::JsonFields& fields) {
  TRY(const auto seconds, fields.optional_uint("attestation_interval_seconds"));
  if (!seconds) return std::optional<std::chrono::seconds>();
  constexpr auto kMost = static_cast<std::uint64_t>(provisioning::kAttestationIntervalMax.count()) + 1;
  return std::optional(std::chrono::seconds(std::min(*seconds, kMost)));
}

Result<CertificatePair> parse_certificates(const wire::JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"primary", "secondary"}));
  TRY(const auto primary, fields.required_string("primary"));
  CertificatePair pair;
  TRY(pair.primary, parse_certificate(primary, fields.path_of("primary")));
  TRY(const auto secondary, fields.optional_string("secondary"));
  if (secondary) {
    TRY(pair.secondary, parse_certificate(*secondary, fields.path_of("secondary")));
  }
  return pair;
}

Result<std::optional<SecretBytes>> parse_key(const wire::JsonFields& fields, std::string_view name) {
  TRY(auto text, fields.optional_string(name));
  if (!text) return std::optional<SecretBytes>();
  auto bytes = from_base64(*text);
  wipe(*text);
  if (!bytes) return at(std::move(bytes).error(), fields.path_of(name));
  return std::optional(SecretBytes(*std::move(bytes)));
}

Result<provisioning::SymmetricKeyRequest> parse_keys(const wire::JsonFields& attestation) {
  provisioning::SymmetricKeyRequest request;
  TRY(const auto fields, attestation.optional_object("symmetric_key"));
  if (!fields) return request;
  TRY_STATUS(fields->refuse_unknown({"primary_key", "secondary_key"}));
  TRY(request.primary, parse_key(*fields, "primary_key"));
  TRY(request.secondary, parse_key(*fields, "secondary_key"));
  return request;
}

Result<provisioning::X509Request> parse_x509(const wire::JsonFields& attestation) {
  TRY(const auto fields, attestation.required_object("x509"));
  TRY(auto certificates, parse_certificates(fields));
  return provisioning::X509Request{std::move(certificates)};
}

Result<provisioning::TpmRequest> parse_tpm(const wire::JsonFields& attestation) {
  TRY(const auto tpm, attestation.required_object("tpm"));
  TRY_STATUS(tpm.refuse_unknown({"endorsement_key", "endorsement_certificate"}));
  TRY(const auto text, tpm.required_string("endorsement_key"));
  TRY(auto ek, parse_ek(text, tpm.path_of("endorsement_key")));
  return provisioning::TpmRequest{std::move(ek)};
}

Result<provisioning::RegistrationNaming> parse_naming(const wire::JsonFields& tpm) {
  TRY(const auto text, tpm.optional_string("naming"));
  if (!text) return provisioning::RegistrationNaming::ek_hash();
  auto naming = provisioning::RegistrationNaming::parse(*text);
  if (!naming) return at(std::move(naming).error(), tpm.path_of("naming"));
  return naming;
}

// Sorted, none twice: the order says nothing.
Result<std::vector<Bytes>> parse_ek_authorities(const json::array& array, const std::string& path) {
  if (array.empty() || array.size() > provisioning::kEkAuthoritiesMax)
    return invalid_input(
        "group.ek_authorities",
        fmt::format("expected 1 to {} authorities, {} came", provisioning::kEkAuthoritiesMax, array.size()), path);
  std::vector<Bytes> authorities;
  for (const auto& item : array) {
    auto fingerprint = item.is_string() ? parse_fingerprint(item.get_string())
                                        : Result<Bytes>(invalid_input("json.type", "expected a text"));
    if (!fingerprint) return at(std::move(fingerprint).error(), fmt::format("{}.{}", path, authorities.size()));
    authorities.push_back(*std::move(fingerprint));
  }
  std::ranges::sort(authorities, [](const Bytes& a, const Bytes& b) {
    return std::ranges::lexicographical_compare(a, b);  // <=> of vectors: GCC 12 warns of what is not there
  });
  authorities.erase(std::unique(authorities.begin(), authorities.end()), authorities.end());
  return authorities;
}

using TpmsOfGroup = std::variant<provisioning::EkListRequest, provisioning::EkAuthorityRequest>;

Result<TpmsOfGroup> parse_tpms(const wire::JsonFields& attestation) {
  TRY(const auto tpm, attestation.optional_object("tpm"));
  if (!tpm) return TpmsOfGroup(provisioning::EkListRequest{provisioning::RegistrationNaming::ek_hash()});
  TRY_STATUS(tpm->refuse_unknown({"naming", "ek_authorities", "approve_uncertified"}));
  TRY(auto naming, parse_naming(*tpm));
  TRY(const auto* array, tpm->optional_array("ek_authorities"));
  TRY(const bool approve_uncertified, parse_bool(*tpm, "approve_uncertified", false));
  if (array == nullptr) {
    if (approve_uncertified)
      return invalid_input("group.ek_authorities",
                           "there is nothing to be without where EKs are listed: name authorities",
                           tpm->path_of("approve_uncertified"));
    return TpmsOfGroup(provisioning::EkListRequest{std::move(naming)});
  }
  TRY(auto authorities, parse_ek_authorities(*array, tpm->path_of("ek_authorities")));
  return TpmsOfGroup(provisioning::EkAuthorityRequest{std::move(naming), std::move(authorities), approve_uncertified});
}

// {"type": …, and the one member of that type}. `parse_of_tpm` reads what TPMs an enrollment or a group stands for.
template <class Attestation, class OfTpm>
Result<Attestation> parse_attestation(const wire::JsonFields& fields,
                                      Result<OfTpm> (*parse_of_tpm)(const wire::JsonFields& attestation)) {
  TRY(const auto attestation, fields.required_object("attestation"));
  TRY(const auto type, parse_required_name(attestation, "type", provisioning::parse_mechanism));
  switch (type) {
    case provisioning::Mechanism::kTpm: {
      TRY_STATUS(attestation.refuse_unknown({"type", "tpm"}));
      TRY(auto tpm, parse_of_tpm(attestation));
      if constexpr (std::is_same_v<OfTpm, TpmsOfGroup>)
        return std::visit([](auto& kind) { return Attestation(std::move(kind)); }, tpm);
      else
        return Attestation(std::move(tpm));
    }
    case provisioning::Mechanism::kX509: {
      TRY_STATUS(attestation.refuse_unknown({"type", "x509"}));
      TRY(auto x509, parse_x509(attestation));
      return Attestation(std::move(x509));
    }
    case provisioning::Mechanism::kSymmetricKey:
      break;
  }
  TRY_STATUS(attestation.refuse_unknown({"type", "symmetric_key"}));
  TRY(auto keys, parse_keys(attestation));
  return Attestation(std::move(keys));
}

json::object certificate_json(const Bytes& der) {
  json::object object{{"certificate", to_base64(der)}};
  if (const auto certificate = crypto::Certificate::from_der(der)) {
    object["subject"] = certificate->subject();
    object["sha256"] = to_hex(certificate->fingerprint_sha256().bytes());
    object["not_after"] = to_rfc3339(certificate->not_after());
  }
  return object;
}

json::object certificates_json(const CertificatePair& pair) {
  json::object object{{"primary", certificate_json(pair.primary)}};
  object["secondary"] = pair.secondary ? json::value(certificate_json(*pair.secondary)) : json::value();
  return object;
}

json::object authorities_json(const provisioning::EkAuthorityAttestation& by) {
  json::array authorities;
  for (const Bytes& fingerprint : by.authorities)
    authorities.emplace_back(to_hex(fingerprint));
  return {{"naming", by.naming.text()},
          {"ek_authorities", std::move(authorities)},
          {"approve_uncertified", by.approve_uncertified}};
}

json::value opaque(const std::optional<std::string>& text) {
  return text ? json::parse(*text) : json::value();
}

void add_terms(json::object& object, const Terms& terms) {
  object["enabled"] = terms.enabled;
  object["reprovision"] = terms.reprovision ? json::value(to_string(*terms.reprovision)) : json::value();
  object["allocation"] = terms.allocation ? json::value(to_string(*terms.allocation)) : json::value();
  object["hubs"] = json::array(terms.hubs.begin(), terms.hubs.end());
  object["approve_srk_changes"] = terms.approve_srk_changes;
  object["required_attestation"] =
      terms.required_attestation ? json::value(to_string(*terms.required_attestation)) : json::value();
  object["attestation_interval_seconds"] =
      terms.attestation_interval ? json::value(terms.attestation_interval->count()) : json::value();
  object["allow_software_keys"] = terms.allow_software_keys;
  object["iot_edge"] = terms.iot_edge;
  object["initial_twin"] = opaque(terms.initial_twin);
  object["custom_allocation"] = opaque(terms.custom_allocation);
  object["device_information"] = opaque(terms.device_information);
}

std::string_view text_of(provisioning::Outcome::Kind kind) {
  switch (kind) {
    case provisioning::Outcome::Kind::kCreated:
      return "created";
    case provisioning::Outcome::Kind::kUpdated:
      return "updated";
    case provisioning::Outcome::Kind::kUnchanged:
      return "unchanged";
  }
  return "unchanged";
}

}  // namespace

Result<Bytes> parse_certificate(std::string_view text, std::string where) {
  if (text.find("-----BEGIN") != std::string_view::npos) {
    const auto certificate = crypto::Certificate::from_pem(text);
    if (!certificate) return invalid_input("enrollment.certificate", certificate.error().message, std::move(where));
    return certificate->to_der();
  }
  auto der = from_base64(text);
  if (!der)
    return invalid_input("enrollment.certificate", "expected a certificate in PEM, or its DER in base64",
                         std::move(where));
  const auto certificate = crypto::Certificate::from_der(*der);
  if (!certificate) return invalid_input("enrollment.certificate", certificate.error().message, std::move(where));
  return der;
}

Result<tpm::EkPublic> parse_ek(std::string_view text, std::string where) {
  auto bytes = from_base64(text);
  if (!bytes) return at(std::move(bytes).error(), std::move(where));
  auto ek = tpm::EkPublic::from_any(*bytes);
  if (!ek) return at(std::move(ek).error(), std::move(where));
  return ek;
}

Result<Terms> parse_terms(const wire::JsonFields& fields) {
  Terms terms;
  TRY(terms.enabled, parse_bool(fields, "enabled", true));
  TRY(terms.reprovision, parse_name(fields, "reprovision", provisioning::parse_reprovision));
  TRY(terms.allocation, parse_name(fields, "allocation", provisioning::parse_allocation));
  TRY(terms.hubs, parse_hubs(fields));
  TRY(terms.approve_srk_changes, parse_bool(fields, "approve_srk_changes", false));
  TRY(terms.required_attestation, parse_name(fields, "required_attestation", provisioning::parse_required_attestation));
  TRY(terms.attestation_interval, parse_interval(fields));
  TRY(terms.allow_software_keys, parse_bool(fields, "allow_software_keys", false));
  TRY(terms.iot_edge, parse_bool(fields, "iot_edge", false));
  TRY(terms.initial_twin, parse_opaque(fields, "initial_twin"));
  TRY(terms.custom_allocation, parse_opaque(fields, "custom_allocation"));
  TRY(terms.device_information, parse_opaque(fields, "device_information"));
  TRY_STATUS(check_terms(terms));
  return terms;
}

Result<std::optional<ek_trust::CertifiedEk>> parse_certified_ek(const wire::JsonFields& fields,
                                                                const tpm::EkPublic& ek) {
  TRY(const auto text, fields.optional_string("endorsement_certificate"));
  if (!text) return std::optional<ek_trust::CertifiedEk>();
  const std::string where = fields.path_of("endorsement_certificate");
  TRY(const Bytes content, parse_content(*text, where));
  auto certificate = endorsement::EkCertificate::parse(content);
  if (!certificate) return at(std::move(certificate).error(), where);
  auto certified = ek_trust::CertifiedEk::make(ek, *std::move(certificate));
  if (!certified) return at(std::move(certified).error(), where);
  return std::optional(*std::move(certified));
}

Result<EnrollmentBody> parse_enrollment(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  return parse_enrollment(fields);
}

Result<EnrollmentBody> parse_enrollment(const wire::JsonFields& fields) {
  using Attestation = decltype(provisioning::EnrollmentRequest::attestation);
  TRY_STATUS(refuse_unknown(fields, {"registration_id", "attestation", "device_id"}));
  TRY(auto registration, parse_id<RegistrationId>(fields, "registration_id"));
  TRY(auto attestation, parse_attestation<Attestation>(fields, parse_tpm));
  TRY(auto device_id, parse_name(fields, "device_id", DeviceId::parse));
  TRY(auto terms, parse_terms(fields));
  std::optional<ek_trust::CertifiedEk> certified_ek;
  if (const auto* request = std::get_if<provisioning::TpmRequest>(&attestation)) {
    TRY(const auto parent, fields.required_object("attestation"));
    TRY(const auto tpm, parent.required_object("tpm"));
    TRY(certified_ek, parse_certified_ek(tpm, request->ek));
  }
  return EnrollmentBody{{std::move(registration), std::move(attestation), std::move(device_id), std::move(terms)},
                        std::move(certified_ek)};
}

Result<provisioning::GroupRequest> parse_group(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  using Attestation = decltype(provisioning::GroupRequest::attestation);
  TRY_STATUS(refuse_unknown(fields, {"group_id", "attestation"}));
  TRY(auto group_id, parse_id<GroupId>(fields, "group_id"));
  TRY(auto attestation, parse_attestation<Attestation>(fields, parse_tpms));
  TRY(auto terms, parse_terms(fields));
  return provisioning::GroupRequest{std::move(group_id), std::move(attestation), std::move(terms)};
}

json::object to_json(const provisioning::Enrollment& enrollment) {
  json::object attestation{{"type", to_string(mechanism_of(enrollment.attestation))}};
  json::value ek_name;
  if (const auto* tpm = std::get_if<provisioning::TpmAttestation>(&enrollment.attestation)) {
    attestation["tpm"] = json::object{{"endorsement_key", to_base64(tpm->ek_public)}};
    ek_name = to_hex(tpm->ek_name);
  } else if (const auto* x509 = std::get_if<provisioning::X509Attestation>(&enrollment.attestation)) {
    attestation["x509"] = certificates_json(x509->client);
  }
  json::object object{{"registration_id", enrollment.registration_id.text()},
                      {"attestation", std::move(attestation)},
                      {"ek_name", std::move(ek_name)},
                      {"device_id", enrollment.device_id ? json::value(enrollment.device_id->text()) : json::value()}};
  add_terms(object, enrollment.terms);
  object["etag"] = enrollment.revision.text();
  object["created_at"] = to_rfc3339(enrollment.created_at);
  object["updated_at"] = to_rfc3339(enrollment.updated_at);
  return object;
}

json::object to_json(const provisioning::EnrollmentGroup& group) {
  json::object attestation{{"type", to_string(mechanism_of(group.attestation))}};
  if (const auto* list = std::get_if<provisioning::EkListAttestation>(&group.attestation))
    attestation["tpm"] = json::object{{"naming", list->naming.text()}};
  else if (const auto* by = std::get_if<provisioning::EkAuthorityAttestation>(&group.attestation))
    attestation["tpm"] = authorities_json(*by);
  else if (const auto* x509 = std::get_if<provisioning::X509GroupAttestation>(&group.attestation))
    attestation["x509"] = certificates_json(x509->signing);
  json::object object{{"group_id", group.group_id.text()}, {"attestation", std::move(attestation)}};
  add_terms(object, group.terms);
  object["etag"] = group.revision.text();
  object["created_at"] = to_rfc3339(group.created_at);
  object["updated_at"] = to_rfc3339(group.updated_at);
  return object;
}

json::object to_json(const provisioning::GroupEk& ek) {
  return {
      {"ek_name", to_hex(ek.ek_name)},
      {"endorsement_key", to_base64(ek.ek_public)},
      {"registration_id", ek.registration_id ? json::value(ek.registration_id->text()) : json::value()},
      {"created_at", to_rfc3339(ek.created_at)},
      {"is_approved", ek.is_approved},
      {"is_barred", ek.is_barred},
  };
}

json::object to_json(const provisioning::SharedKeys& keys) {
  return {{"primary_key", to_base64(keys.primary.reveal())},
          {"secondary_key", keys.secondary.empty() ? json::value() : json::value(to_base64(keys.secondary.reveal()))}};
}

json::object to_json(const provisioning::Outcome& outcome) {
  json::array changes;
  for (const auto& change : outcome.changes)
    changes.push_back(json::object{{"field", change.field}, {"from", change.from}, {"to", change.to}});
  return {{"outcome", text_of(outcome.kind)}, {"changes", std::move(changes)}};
}

void add_outcome(json::object& object, const provisioning::Outcome& outcome) {
  for (const auto& member : to_json(outcome))
    object[member.key()] = member.value();
}

}  // namespace warifu::front::api
