#include "front/dps_service/bulk_enrollments.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "front/api/bulk.h"
#include "front/dps_service/preconditions.h"
#include "front/dps_service/service_errors.h"
#include "front/key_holders.h"

namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using provisioning::Precondition;
using Mode = BulkEnrollments::Mode;

constexpr std::size_t kBodySizeMax = 1024 * 1024;

Result<Mode> parse_mode(std::string_view text) {
  if (text == "create") return Mode::kCreate;
  if (text == "update") return Mode::kUpdate;
  if (text == "updateIfMatchEtag") return Mode::kUpdateIfMatchEtag;
  if (text == "delete") return Mode::kDelete;
  return invalid_input("bulk.mode", fmt::format("\"{}\" is no mode: create, update, updateIfMatchEtag or delete", text),
                       "mode");
}

// All that is read of one that is to be deleted.
Result<RegistrationId> parse_registration_id(const wire::JsonFields& fields) {
  TRY(const auto text, fields.required_string("registrationId"));
  return RegistrationId::parse(text);
}

BulkEnrollments::Item parse_item(const json::value& value, std::size_t index, Mode mode) {
  const auto fields = wire::JsonFields::of(value, fmt::format("enrollments.{}", index));
  if (!fields) return {"", fields.error()};
  const auto name = fields->optional_string("registrationId");
  std::string id = name && *name ? **name : "";
  if (mode == Mode::kDelete) {
    auto registration = parse_registration_id(*fields);
    if (!registration) return {std::move(id), std::move(registration).error()};
    return {std::move(id), *std::move(registration)};
  }
  auto enrollment = parse_individual_enrollment(*fields);
  if (!enrollment) return {std::move(id), std::move(enrollment).error()};
  return {std::move(id), *std::move(enrollment)};
}

Result<Precondition> precondition_of_item(Mode mode, const IndividualEnrollment& enrollment) {
  if (mode == Mode::kCreate) return Precondition{Precondition::Existing::kAbsent};
  if (mode == Mode::kUpdate) return Precondition{Precondition::Existing::kPresent};
  if (!enrollment.etag || enrollment.etag->empty())
    return Error{ErrorKind::kConflict, "request.revision", "updateIfMatchEtag needs the etag of each enrollment",
                 "etag"};
  return precondition_of(*enrollment.etag);
}

json::object failure(const std::string& id, const Error& error) {
  return {{"registrationId", id}, {"errorCode", error_code_of(error)}, {"errorStatus", message_of(error)}};
}

// Gives whose enrollment it wrote.
Result<RegistrationId> run_item(const provisioning::EnrollmentDesk& desk, provisioning::Records& records,
                                audit::Trail& trail, const provisioning::Requester& who, Mode mode,
                                const BulkEnrollments::Item& item) {
  if (const auto* error = std::get_if<Error>(&item.request)) return *error;
  if (const auto* registration = std::get_if<RegistrationId>(&item.request)) {
    TRY_STATUS(desk.remove(records, trail, who, *registration));
    return *registration;
  }
  const auto& enrollment = std::get<IndividualEnrollment>(item.request);
  TRY(const auto precondition, precondition_of_item(mode, enrollment));
  TRY(const auto before, records.find_enrollment(who.scope, enrollment.registration_id));
  TRY(const auto request, complete(enrollment, before));
  TRY_STATUS(desk.put(records, trail, who, request, precondition));
  return enrollment.registration_id;
}

}  // namespace

Result<BulkEnrollments> parse_bulk_enrollments(std::string_view body) {
  TRY(const auto value, wire::parse_json(body, {.max_bytes = kBodySizeMax}));
  TRY(const auto fields, wire::JsonFields::of(value));
  BulkEnrollments request;
  TRY(const auto mode, fields.required_string("mode"));
  TRY(request.mode, parse_mode(mode));
  TRY(const auto* items, fields.required_array("enrollments"));
  if (items->empty() || items->size() > BulkEnrollments::kSizeMax)
    return invalid_input("bulk.size",
                         fmt::format("expected 1 to {} enrollments, {} came", BulkEnrollments::kSizeMax, items->size()),
                         "enrollments");
  for (std::size_t i = 0; i < items->size(); ++i)
    request.items.push_back(parse_item((*items)[i], i, request.mode));
  return request;
}

Result<json::object> run_bulk_enrollments(const provisioning::EnrollmentDesk& desk, const application_keys::Desk& keys,
                                          store::Transaction& transaction, const provisioning::Requester& who,
                                          const BulkEnrollments& request) {
  json::array errors;
  for (const auto& item : request.items) {
    const auto done = run_item(desk, transaction.provisioning(), transaction.audit(), who, request.mode, item);
    if (done) {
      TRY_STATUS(end_unheld_keys(keys, transaction, who.scope, *done));
      continue;
    }
    if (!api::is_of_the_item(done.error())) return done.error();
    errors.push_back(failure(item.registration_id, done.error()));
  }
  return json::object{{"isSuccessful", errors.empty()}, {"errors", std::move(errors)}};
}

}  // namespace warifu::front::dps_service
