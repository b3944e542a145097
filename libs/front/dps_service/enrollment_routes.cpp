#include <boost/json/array.hpp>
#include <memory>

#include "front/api/requester.h"
#include "front/dps_service/bulk_enrollments.h"
#include "front/dps_service/enrollment_json.h"
#include "front/dps_service/preconditions.h"
#include "front/dps_service/query.h"
#include "front/dps_service/service_answers.h"
#include "front/dps_service/service_api.h"
#include "front/key_holders.h"
#include "provisioning/statement.h"

// Individual enrollments.
namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using api::requester_of;
using provisioning::Enrollment;

constexpr std::string_view kUnknown = "enrollment.unknown";

Error unknown_enrollment(const RegistrationId& id) {
  return api::unknown(kUnknown, "enrollment", id.text());
}

// With the state of its device, if that came under this enrollment.
Result<json::object> with_registration(provisioning::RecordsView& records, const Enrollment& enrollment) {
  json::object object = to_json(enrollment);
  TRY(const auto device, records.find_device_of(enrollment.scope, enrollment.registration_id));
  if (device && !device->group && device->enrollment_id == enrollment.enrollment_id) {
    TRY(object["registrationState"], registration_json(records, *device));
  }
  return object;
}

}  // namespace

Result<Answer> ServiceApi::put_enrollment(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(auto parsed, parse_individual_enrollment(call.request.body));
  if (parsed.registration_id != id)
    return invalid_input("request.registration_id", "the registrationId of the body is not that of the path",
                         "registrationId");
  TRY(const auto precondition, precondition_of(call.request.header("If-Match")));
  const auto asked = std::make_shared<const IndividualEnrollment>(std::move(parsed));
  return Answer(Durable{[this, asked, precondition,
                         who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    auto& records = transaction.provisioning();
    TRY(const auto before, records.find_enrollment(who.scope, asked->registration_id));
    TRY(const auto request, complete(*asked, before));
    TRY(const auto written, enrollments_.put(records, transaction.audit(), who, request, precondition));
    TRY_STATUS(end_unheld_keys(keys_, transaction, who.scope, asked->registration_id));
    TRY(const auto body, with_registration(records, written.enrollment));
    return json_answer(body);
  }});
}

Result<Answer> ServiceApi::show_enrollment(const Call& call) {
  TRY(const auto id, id_of<RegistrationId>(call, kUnknown));
  json::object body;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto enrollment, snapshot.provisioning().find_enrollment(call.principal->scope, id));
    if (!enrollment) return unknown_enrollment(id);
    TRY(body, with_registration(snapshot.provisioning(), *enrollment));
    return {};
  }));
  return Answer(json_answer(body));
}

Result<Answer> ServiceApi::remove_enrollment(const Call& call) {
  TRY(const auto id, id_of<RegistrationId>(call, kUnknown));
  TRY(const auto revision, revision_of(call.request.header("If-Match")));
  return Answer(Durable{
      [this, id, revision, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(enrollments_.remove(transaction.provisioning(), transaction.audit(), who, id, revision));
        TRY_STATUS(end_unheld_keys(keys_, transaction, who.scope, id));
        return net::HttpResponse{204, {}, "", ""};
      }});
}

Result<Answer> ServiceApi::show_enrollment_attestation(const Call& call) {
  TRY(const auto id, id_of<RegistrationId>(call, kUnknown));
  std::optional<Enrollment> enrollment;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(enrollment, snapshot.provisioning().find_enrollment(call.principal->scope, id));
    return {};
  }));
  if (!enrollment) return unknown_enrollment(id);
  if (mechanism_of(enrollment->attestation) != provisioning::Mechanism::kSymmetricKey)
    return Answer(json_answer(to_json(enrollment->attestation, nullptr)));
  return Answer(Durable{[this, id, attestation = enrollment->attestation,
                         who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY(const auto keys, enrollments_.reveal_keys(transaction.provisioning(), transaction.audit(), who, id));
    return json_answer(to_json(attestation, &keys));
  }});
}

Result<Answer> ServiceApi::query_enrollments(const Call& call) {
  TRY_STATUS(check_query(call.request.body, Collection::kEnrollments));
  TRY(const auto page, page_of<RegistrationId>(call));
  json::array items;
  std::string continuation;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto found, snapshot.provisioning().list_enrollments(call.principal->scope, page));
    continuation = cut_to_page(found, page.limit, [](const auto& item) { return item.registration_id.text(); });
    for (const auto& enrollment : found) {
      TRY(auto item, with_registration(snapshot.provisioning(), enrollment));
      items.emplace_back(std::move(item));
    }
    return {};
  }));
  return Answer(query_response(Collection::kEnrollments, items, continuation));
}

Result<Answer> ServiceApi::bulk_enrollments(const Call& call) {
  TRY(auto parsed, parse_bulk_enrollments(call.request.body));
  const auto request = std::make_shared<const BulkEnrollments>(std::move(parsed));
  return Answer(
      Durable{[this, request, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto body, run_bulk_enrollments(enrollments_, keys_, transaction, who, *request));
        return json_answer(body);
      }});
}

}  // namespace warifu::front::dps_service
