#include "front/dps/messages.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include "base/place.h"
#include "ek_trust/limits.h"
#include "front/http/problem.h"
#include "wire/json.h"

namespace warifu::front::dps {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "application/json; charset=utf-8";
// The SDKs wait this many seconds before they poll; the assignment is there by then.
constexpr std::string_view kRetryAfterSeconds = "1";
// Of one that waits for a person. The C SDK waits 300 s at most.
constexpr std::string_view kRetryApprovalSeconds = "30";
// Of one that waits for an attestation, which our own agent makes at once; others look again.
constexpr std::string_view kRetryAttestationSeconds = "10";

constexpr std::string_view kWaitsForApproval = "approval.open";

net::HttpResponse respond(int status, const json::object& body) {
  return {status, {}, std::string(kJson), json::serialize(body)};
}

// Puts the field's path before the place inside the structure.
Error inside(Error error, std::string_view path) {
  error.kind = ErrorKind::kInvalidInput;
  return at(std::move(error), std::string(path));
}

template <class Key>
Result<Key> parse_key(const wire::JsonFields& tpm, std::string_view name) {
  TRY(const auto text, tpm.required_string(name));
  const std::string path = tpm.path_of(name);
  auto bytes = from_base64(text);
  if (!bytes) return inside(std::move(bytes).error(), path);
  auto key = Key::from_tpm2b(*bytes);
  if (!key) return inside(std::move(key).error(), path);
  return *std::move(key);
}

Result<Bytes> parse_certificate_text(std::string_view text, std::size_t size_max, const std::string& path) {
  auto bytes = from_base64(text);
  if (!bytes) return inside(std::move(bytes).error(), path);
  if (bytes->empty() || bytes->size() > size_max)
    return invalid_input("ek_certificate.size",
                         fmt::format("expected a certificate of 1 to {} bytes, {} came", size_max, bytes->size()),
                         path);
  return bytes;
}

Result<std::vector<Bytes>> parse_chain(const wire::JsonFields& tpm) {
  constexpr std::string_view kName = "endorsementCertificateChain";
  std::vector<Bytes> chain;
  TRY(const auto* array, tpm.optional_array(kName));
  if (array == nullptr) return chain;
  const std::string path = tpm.path_of(kName);
  if (array->size() > ek_trust::kIntermediatesMax)
    return invalid_input(
        "ek_certificate.chain",
        fmt::format("expected at most {} certificates, {} came", ek_trust::kIntermediatesMax, array->size()), path);
  for (const auto& item : *array) {
    const std::string where = fmt::format("{}.{}", path, chain.size());
    if (!item.is_string()) return invalid_input("json.type", "expected a text: DER in base64", where);
    TRY(chain.emplace_back(), parse_certificate_text(item.get_string(), ek_trust::kIntermediatesSizeMax, where));
  }
  return chain;
}

Result<std::optional<ShownCertificate>> parse_certificate(const wire::JsonFields& tpm) {
  constexpr std::string_view kName = "endorsementCertificate";
  TRY(const auto text, tpm.optional_string(kName));
  if (!text) return std::optional<ShownCertificate>();
  ShownCertificate shown;
  TRY(shown.certificate, parse_certificate_text(*text, ek_trust::kEkCertificateSizeMax, tpm.path_of(kName)));
  TRY(shown.intermediates, parse_chain(tpm));
  return std::optional(std::move(shown));
}

std::string_view name_of(provisioning::Substatus substatus) {
  switch (substatus) {
    case provisioning::Substatus::kInitialAssignment:
      return "initialAssignment";
    case provisioning::Substatus::kDeviceDataMigrated:
      return "deviceDataMigrated";
    case provisioning::Substatus::kDeviceDataReset:
      return "deviceDataReset";
  }
  return "initialAssignment";
}

// By what the device proved itself, and what it gets for it.
void add_credential(json::object& state, const provisioning::Assignment& assignment) {
  const auto& group = assignment.device.group;
  json::object credential;
  switch (assignment.operation.mechanism) {
    case provisioning::Mechanism::kTpm:
      state["tpm"] = json::object{{"authenticationKey", to_base64(assignment.authentication_key)}};
      return;
    case provisioning::Mechanism::kX509:
      if (assignment.certificate) credential["certificateInfo"] = certificate_info(*assignment.certificate);
      if (group) credential["enrollmentGroupId"] = group->text();
      state["x509"] = std::move(credential);
      return;
    case provisioning::Mechanism::kSymmetricKey:
      if (group) credential["enrollmentGroupId"] = group->text();
      state["symmetricKey"] = std::move(credential);
      return;
  }
}

json::object info_of(std::string_view code) {
  return {{"stage", code.substr(0, code.find('.'))}, {"code", code}};
}

json::object info_of(const provisioning::Waiting& waiting) {
  if (!waiting.needs_approval && waiting.attestation) {
    auto info = info_of(waiting.attestation->code);
    info["message"] = waiting.attestation->message;
    return info;
  }
  auto info = info_of(kWaitsForApproval);
  info["message"] = "an operator has to agree";
  return info;
}

net::HttpResponse poll_again(const provisioning::Operation& operation, std::string_view seconds,
                             const provisioning::Waiting* waiting = nullptr) {
  json::object body{{"operationId", operation.operation_id.text()},
                    {"status", "assigning"},
                    {"registrationState",
                     json::object{{"registrationId", operation.registration_id.text()}, {"status", "assigning"}}}};
  if (waiting != nullptr) body["info"] = info_of(*waiting);
  auto response = respond(202, body);
  response.headers.emplace_back("Retry-After", seconds);
  return response;
}

// What a device is told. A state or a hold is the operator's business: the device gets the code.
std::string message_of(const Error& error) {
  if (error.kind == ErrorKind::kInternal) return "internal error";
  if (error.code.starts_with("store.")) return "the server cannot write now: try again later";
  if (error.kind == ErrorKind::kRefused && error.code.starts_with("device."))
    return "this device is refused; its operator knows why";
  return to_string(error);
}

int detail_of(const Error& error, int status) {
  if (error.code == "enrollment.scope" || error.code == "enrollment.unknown") return 201;
  if (error.code == "operation.unknown" || error.code == "device.unknown") return 202;
  switch (status) {
    case 400:
      return 4;
    case 401:
      return 2;
    case 429:
      return 1;
  }
  return 0;
}

}  // namespace

Result<RegistrationRequest> parse_registration_request(std::string_view body) {
  RegistrationRequest request;
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY(const auto registration_id, fields.optional_string("registrationId"));
  if (registration_id) {
    auto parsed = RegistrationId::parse(*registration_id);
    if (!parsed) return inside(std::move(parsed).error(), "registrationId");
    request.registration_id = *std::move(parsed);
  }
  TRY(const auto tpm, fields.optional_object("tpm"));
  if (tpm) {
    TRY(auto ek, parse_key<tpm::EkPublic>(*tpm, "endorsementKey"));
    TRY(auto srk, parse_key<tpm::SrkPublic>(*tpm, "storageRootKey"));
    request.tpm = provisioning::Offer{std::move(ek), std::move(srk)};
    TRY(request.certificate, parse_certificate(*tpm));
  }
  return request;
}

json::object certificate_info(const provisioning::CertificateInfo& info) {
  return {
      {"subjectName", info.subject},
      {"sha1Thumbprint", info.sha1},
      {"sha256Thumbprint", info.sha256},
      {"issuerName", info.issuer},
      {"notBeforeUtc", to_rfc3339(info.not_before)},
      {"notAfterUtc", to_rfc3339(info.not_after)},
      {"serialNumber", info.serial},
      {"version", info.version},
  };
}

json::object registration_state(const provisioning::Device& device) {
  return {
      {"registrationId", device.registration_id.text()},
      {"createdDateTimeUtc", to_rfc3339(device.created_at)},
      {"assignedHub", device.assigned_hub},
      {"deviceId", device.device_id.text()},
      {"status", "assigned"},
      {"lastUpdatedDateTimeUtc", to_rfc3339(device.updated_at)},
      {"etag", fmt::format("\"{}\"", device.operation_id.text())},
  };
}

net::HttpResponse challenge_response(ByteView authentication_key) {
  return respond(401, {
                          {"message", "Authorization required, resend request using supplied key"},
                          {"authenticationKey", to_base64(authentication_key)},
                          {"unencryptedAuthenticationKey", nullptr},
                          {"keyName", "registration"},
                      });
}

net::HttpResponse assigning_response(const Uuid& operation_id) {
  auto response = respond(202, {{"operationId", operation_id.text()}, {"status", "assigning"}});
  response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  return response;
}

net::HttpResponse still_assigning_response(const provisioning::Waiting& waiting) {
  return poll_again(waiting.operation, waiting.needs_approval ? kRetryApprovalSeconds : kRetryAttestationSeconds,
                    &waiting);
}

net::HttpResponse assigning_again_response(const provisioning::Operation& operation) {
  return poll_again(operation, kRetryAfterSeconds);
}

net::HttpResponse assigned_response(const provisioning::Assignment& assignment) {
  json::object state = registration_state(assignment.device);
  // C# knows three values and no other.
  state["substatus"] = name_of(assignment.operation.substatus);
  add_credential(state, assignment);
  return respond(200, {
                          {"operationId", assignment.operation.operation_id.text()},
                          {"status", "assigned"},
                          {"registrationState", std::move(state)},
                      });
}

net::HttpResponse registration_state_response(const provisioning::Device& device) {
  return respond(200, registration_state(device));
}

net::HttpResponse error_response(const Error& error, std::string_view tracking_id, Timestamp now) {
  const int status = http_status(error);
  auto response = respond(status, {
                                      {"errorCode", status * 1000 + detail_of(error, status)},
                                      {"trackingId", tracking_id},
                                      {"message", message_of(error)},
                                      {"timestampUtc", to_rfc3339(now)},
                                      {"info", info_of(error.code)},
                                  });
  response.headers.emplace_back("x-ms-request-id", tracking_id);
  response.headers.emplace_back("x-ms-error-code", std::to_string(status * 1000 + detail_of(error, status)));
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace warifu::front::dps
