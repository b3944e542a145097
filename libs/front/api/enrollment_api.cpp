#include "front/api/enrollment_api.h"

#include <fmt/format.h>

#include <memory>

#include "front/api/bulk.h"
#include "front/api/ek_trust_messages.h"
#include "front/api/enrollment_messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using provisioning::Precondition;
using provisioning::WrittenEnrollment;

json::object written_body(const WrittenEnrollment& written, const json::value& certificate) {
  json::object body = to_json(written.enrollment);
  body["ek_certificate"] = certificate;
  json::array same_ek;
  for (const auto& id : written.same_ek)
    same_ek.emplace_back(id.text());
  body["same_ek_as"] = std::move(same_ek);
  return body;
}

net::HttpResponse written_response(int status, const WrittenEnrollment& written, const json::object& body) {
  auto response = json_response(status, body);
  response.headers.emplace_back("Location",
                                fmt::format("/api/v1/enrollments/{}", written.enrollment.registration_id.text()));
  response.headers.emplace_back("ETag", etag_of(written.enrollment.revision));
  return response;
}

}  // namespace

std::vector<Route> EnrollmentApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto bind = [this](Result<Answer> (EnrollmentApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  const auto reads = Access::demands(Permission::kEnrollmentRead);
  const auto writes = Access::demands(Permission::kEnrollmentWrite);
  return {
      {kPost, "/api/v1/enrollments", writes, bind(&EnrollmentApi::create), {}, /*takes_idempotency_key=*/true},
      {kGet, "/api/v1/enrollments", reads, bind(&EnrollmentApi::list)},
      {kPost, "/api/v1/bulk/enrollments", writes, bind(&EnrollmentApi::bulk)},
      {kGet, "/api/v1/enrollments/{registration_id}", reads, bind(&EnrollmentApi::show)},
      {kPut, "/api/v1/enrollments/{registration_id}", writes, bind(&EnrollmentApi::put)},
      {kDelete, "/api/v1/enrollments/{registration_id}", writes, bind(&EnrollmentApi::remove)},
      {kGet, "/api/v1/enrollments/{registration_id}/keys", Access::demands(Permission::kEnrollmentKeyRead),
       bind(&EnrollmentApi::show_keys)},
  };
}

Result<json::value> EnrollmentApi::certificate_json(const Call& call, const EnrollmentBody& body) const {
  TRY(const auto judged, writer_.judge(store_, call.principal->scope, body));
  return to_json(judged);
}

Result<Answer> EnrollmentApi::create(const Call& call) {
  TRY(auto parsed, parse_enrollment(call.request.body));
  const auto request = std::make_shared<const EnrollmentBody>(std::move(parsed));
  TRY(auto certificate, certificate_json(call, *request));
  return Answer(Durable{[this, request, certificate = std::move(certificate),
                         who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY(const auto written, writer_.put(transaction, who, *request, {Precondition::Existing::kAbsent}));
    return written_response(201, written, written_body(written, certificate));
  }});
}

Result<Answer> EnrollmentApi::put(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(auto parsed, parse_enrollment(call.request.body));
  if (parsed.request.registration_id != id)
    return invalid_input("request.registration_id", "the registration_id of the body is not that of the path",
                         "registration_id");
  TRY(const auto revision, if_match_of(call));
  TRY(const bool dry_run, is_dry_run(call));
  const auto request = std::make_shared<const EnrollmentBody>(std::move(parsed));
  TRY(auto certificate, certificate_json(call, *request));
  return Answer(Durable{
      .apply = [this, request, revision, dry_run, certificate = std::move(certificate),
                who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto written, writer_.put(transaction, who, *request, {Precondition::Existing::kEither, revision}));
        json::object body = written_body(written, certificate);
        add_outcome(body, written.outcome);
        if (dry_run) return json_response(200, body);
        const bool is_new = written.outcome.kind == provisioning::Outcome::Kind::kCreated;
        return written_response(is_new ? 201 : 200, written, body);
      },
      .committed = {},
      .is_rehearsal = dry_run});
}

Result<Answer> EnrollmentApi::list(const Call& call) {
  return list_page(call, store_, &provisioning::RecordsView::list_enrollments,
                   &provisioning::Enrollment::registration_id, to_json);
}

Result<Answer> EnrollmentApi::show(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  std::optional<provisioning::Enrollment> enrollment;
  std::optional<ek_trust::JudgedCertificate> certificate;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(enrollment, snapshot.provisioning().find_enrollment(call.principal->scope, id));
    if (!enrollment) return {};
    TRY(certificate, writer_.find_certificate(snapshot.ek_trust(), *enrollment));
    return {};
  }));
  if (!enrollment) return unknown("enrollment.unknown", "enrollment", id.text());
  json::object body = to_json(*enrollment);
  body["ek_certificate"] = to_json(certificate);
  auto response = json_response(200, body);
  response.headers.emplace_back("ETag", etag_of(enrollment->revision));
  return Answer(std::move(response));
}

Result<Answer> EnrollmentApi::remove(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto revision, if_match_of(call));
  return Answer(Durable{
      [this, id, revision, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(writer_.remove(transaction, who, id, revision));
        return no_content();
      }});
}

Result<Answer> EnrollmentApi::show_keys(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  return Answer(
      Durable{[this, id, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto keys, desk_.reveal_keys(transaction.provisioning(), transaction.audit(), who, id));
        json::object body = to_json(keys);
        body["registration_id"] = id.text();
        return json_response(200, body);
      }});
}

Result<Answer> EnrollmentApi::bulk(const Call& call) {
  TRY(auto parsed, parse_bulk(call.request.body));
  const auto request = std::make_shared<const BulkRequest>(std::move(parsed));
  return Answer(Durable{
      .apply = [this, request, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto body, run_bulk(writer_, transaction, who, *request));
        return json_response(200, body);
      },
      .committed = {},
      .is_rehearsal = request->dry_run});
}

}  // namespace warifu::front::api
