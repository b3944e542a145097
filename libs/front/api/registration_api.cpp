#include "front/api/registration_api.h"

#include "front/api/ek_trust_messages.h"
#include "front/api/paging.h"
#include "front/api/registration_messages.h"
#include "front/api/requester.h"

namespace warifu::front::api {
namespace {

// Of the EK that is enrolled, else of the one that the device proved.
Bytes ek_name_of(const provisioning::RegistrationStory& story) {
  if (story.enrollment) {
    const auto* tpm = std::get_if<provisioning::TpmAttestation>(&story.enrollment->attestation);
    return tpm == nullptr ? Bytes() : tpm->ek_name;
  }
  return story.device ? story.device->ek_name : Bytes();
}

}  // namespace

std::vector<Route> RegistrationApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto bind = [this](Result<Answer> (RegistrationApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  const auto reads = Access::demands(Permission::kDeviceRead);
  const auto approves = Access::demands(Permission::kDeviceApprove);
  return {
      {kGet, "/api/v1/approvals", reads, bind(&RegistrationApi::list_approvals)},
      {kPost, "/api/v1/approvals/{registration_id}/approve", approves, bind(&RegistrationApi::approve)},
      {kPost, "/api/v1/approvals/{registration_id}/reject", approves, bind(&RegistrationApi::reject)},
      {kGet, "/api/v1/alerts", reads, bind(&RegistrationApi::list_alerts)},
      {kPost, "/api/v1/alerts/acknowledge", approves, bind(&RegistrationApi::acknowledge)},
      {kGet, "/api/v1/waiting-registrations", reads, bind(&RegistrationApi::list_waiting)},
      {kGet, "/api/v1/registrations/{registration_id}/explanation", reads, bind(&RegistrationApi::explain)},
  };
}

Result<Answer> RegistrationApi::list_approvals(const Call& call) {
  return list_page(call, store_, &provisioning::RecordsView::list_approvals, &provisioning::Approval::registration_id,
                   to_json);
}

Result<Answer> RegistrationApi::approve(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto keys, parse_approval_keys(call.request.body));
  return Answer(
      Durable{[this, id, keys, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.approve(transaction.provisioning(), transaction.audit(), who, id, keys));
        TRY(const auto approval, transaction.provisioning().find_approval(who.scope, id));
        return json_response(200, to_json(*approval));
      }});
}

Result<Answer> RegistrationApi::reject(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto keys, parse_approval_keys(call.request.body));
  return Answer(
      Durable{[this, id, keys, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.reject(transaction.provisioning(), transaction.audit(), who, id, keys));
        return no_content();
      }});
}

Result<Answer> RegistrationApi::list_alerts(const Call& call) {
  TRY(const auto page, alert_page_of(call));
  std::vector<provisioning::Alert> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, snapshot.provisioning().list_alerts(call.principal->scope, page));
    return {};
  }));
  return Answer(page_response(
      std::move(items), page.limit, [](const auto& alert) { return cursor_of(alert); },
      [](const auto& item) { return to_json(item); }));
}

Result<Answer> RegistrationApi::acknowledge(const Call& call) {
  TRY(const auto alert, parse_acknowledgement(call.request.body));
  return Answer(
      Durable{[this, alert, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.acknowledge(transaction.provisioning(), transaction.audit(), who, alert));
        return no_content();
      }});
}

Result<Answer> RegistrationApi::list_waiting(const Call& call) {
  TRY(const auto page, page_of<RegistrationId>(call));
  std::vector<provisioning::WaitingRegistration> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, provisioning::list_waiting(snapshot.provisioning(), call.principal->scope, page, clock_.now()));
    return {};
  }));
  return Answer(page_response(
      std::move(items), page.limit, [](const auto& waiting) { return waiting.operation.registration_id.text(); },
      [](const auto& item) { return to_json(item); }));
}

Result<Answer> RegistrationApi::explain(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  std::optional<provisioning::RegistrationStory> story;
  std::optional<ek_trust::JudgedCertificate> certificate;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(story, provisioning::tell_story(snapshot.provisioning(), call.principal->scope, id, clock_.now()));
    const Bytes ek_name = story ? ek_name_of(*story) : Bytes();
    if (ek_name.empty()) return {};
    TRY(certificate, certificates_.find(snapshot.ek_trust(), call.principal->scope, ek_name));
    return {};
  }));
  if (!story)
    return Error{ErrorKind::kNotFound, "registration.unknown",
                 fmt::format("nobody enrolled \"{}\", and nobody came under it in the last days", id.text())};
  auto body = to_json(*story);
  body["ek_certificate"] = to_json(certificate);
  return Answer(json_response(200, body));
}

}  // namespace warifu::front::api
