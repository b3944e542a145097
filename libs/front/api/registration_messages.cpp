#include "front/api/registration_messages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "front/api/ek_list_messages.h"
#include "front/api/fields.h"
#include "front/api/messages.h"
#include "front/api/paging.h"
#include "provisioning/refusal_advice.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using provisioning::AlertKey;
using provisioning::Operation;
using provisioning::Substatus;

json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value();
}

template <class T>
json::value object_or_null(const std::optional<T>& thing, json::object (*to_object)(const T&)) {
  return thing ? json::value(to_object(*thing)) : json::value();
}

template <class T>
json::array array_of(const std::vector<T>& things) {
  json::array array;
  for (const T& thing : things)
    array.push_back(to_json(thing));
  return array;
}

json::value required(const provisioning::Terms& terms) {
  return terms.required_attestation ? json::value(to_string(*terms.required_attestation)) : json::value();
}

json::object short_enrollment(const provisioning::Enrollment& enrollment) {
  const auto* tpm = std::get_if<provisioning::TpmAttestation>(&enrollment.attestation);
  return {{"attestation_type", to_string(mechanism_of(enrollment.attestation))},
          {"ek_name", tpm == nullptr ? json::value() : json::value(to_hex(tpm->ek_name))},
          {"enabled", enrollment.terms.enabled},
          {"required_attestation", required(enrollment.terms)},
          {"created_at", to_rfc3339(enrollment.created_at)},
          {"updated_at", to_rfc3339(enrollment.updated_at)}};
}

json::object short_group(const provisioning::EnrollmentGroup& group) {
  return {{"group_id", group.group_id.text()},
          {"attestation_type", to_string(mechanism_of(group.attestation))},
          {"enabled", group.terms.enabled},
          {"required_attestation", required(group.terms)},
          {"created_at", to_rfc3339(group.created_at)},
          {"updated_at", to_rfc3339(group.updated_at)}};
}

std::string_view name_of(Substatus substatus) {
  switch (substatus) {
    case Substatus::kInitialAssignment:
      return "initial-assignment";
    case Substatus::kDeviceDataMigrated:
      return "device-data-migrated";
    case Substatus::kDeviceDataReset:
      return "device-data-reset";
  }
  return "initial-assignment";
}

json::object operation_json(const Operation& operation) {
  const bool is_waiting = operation.state == Operation::State::kWaiting;
  return {{"operation_id", operation.operation_id.text()},
          {"state", is_waiting ? "waiting" : "assigned"},
          {"substatus", is_waiting ? json::value() : json::value(name_of(operation.substatus))},
          {"attestation_type", to_string(operation.mechanism)},
          {"created_at", to_rfc3339(operation.created_at)},
          {"ended_at", time_or_null(operation.ended_at)}};
}

Result<AlertKey> parse_cursor(std::string_view text) {
  const auto first = text.find('~');
  const auto second = text.find('~', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos)
    return invalid_input("request.after", "expected what a page of alerts gave as next", "after");
  auto registration = RegistrationId::parse(text.substr(0, first));
  if (!registration) return invalid_input("request.after", to_string(registration.error()), "after");
  return AlertKey{*std::move(registration), std::string(text.substr(first + 1, second - first - 1)),
                  std::string(text.substr(second + 1))};
}

}  // namespace

Result<AlertKey> parse_acknowledgement(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"registration_id", "kind", "subject"}));
  TRY(auto registration, parse_id<RegistrationId>(fields, "registration_id"));
  TRY(auto kind, fields.required_string("kind"));
  TRY(auto subject, fields.required_string("subject"));
  return AlertKey{std::move(registration), std::move(kind), std::move(subject)};
}

Result<provisioning::ApprovalKeys> parse_approval_keys(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"ek_name", "srk_name"}));
  TRY(const auto ek, fields.required_string("ek_name"));
  TRY(const auto srk, fields.required_string("srk_name"));
  TRY(auto ek_name, parse_key_name(ek, "ek_name"));
  TRY(auto srk_name, parse_key_name(srk, "srk_name"));
  return provisioning::ApprovalKeys{std::move(ek_name), std::move(srk_name)};
}

Result<provisioning::Page<AlertKey>> alert_page_of(const Call& call) {
  TRY(const auto size, page_size_of(call));
  provisioning::Page<AlertKey> page{std::nullopt, size + 1};
  if (const auto after = call.target.parameter("after")) {
    TRY(page.after, parse_cursor(*after));
  }
  return page;
}

// "~" is in no part: IDs, the kinds of alerts and hexadecimal have none.
std::string cursor_of(const provisioning::Alert& alert) {
  return fmt::format("{}~{}~{}", alert.registration_id.text(), alert.kind, alert.subject);
}

json::object to_json(const provisioning::Approval& approval) {
  return {{"registration_id", approval.registration_id.text()},
          {"ek_name", to_hex(approval.ek_name)},
          {"srk_name", to_hex(approval.srk_name)},
          {"requested_at", to_rfc3339(approval.requested_at)},
          {"approved_at", time_or_null(approval.approved_at)},
          {"group_id", approval.group ? json::value(approval.group->text()) : json::value()},
          {"is_uncertified", approval.is_uncertified}};
}

json::object to_json(const provisioning::AttestationShortfall& shortfall) {
  return {{"code", shortfall.code},
          {"message", shortfall.message},
          {"detail", shortfall.operator_detail},
          {"advice", provisioning::advice_on(shortfall.code)}};
}

json::object to_json(const provisioning::WaitingRegistration& waiting) {
  const auto& operation = waiting.operation;
  return {{"registration_id", operation.registration_id.text()},
          {"group_id", operation.group ? json::value(operation.group->text()) : json::value()},
          {"operation_id", operation.operation_id.text()},
          {"since", to_rfc3339(operation.created_at)},
          {"needs_approval", waiting.needs_approval},
          {"attestation_shortfall", object_or_null<provisioning::AttestationShortfall>(waiting.attestation, to_json)}};
}

json::object to_json(const provisioning::Alert& alert) {
  return {{"registration_id", alert.registration_id.text()},
          {"kind", alert.kind},
          {"subject", alert.subject},
          {"detail", alert.detail},
          {"count", alert.count},
          {"first_at", to_rfc3339(alert.first_at)},
          {"last_at", to_rfc3339(alert.last_at)},
          {"acknowledged_at", time_or_null(alert.acknowledged_at)}};
}

json::object to_json(const provisioning::Attempt& attempt) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json::value() : json::value(text); };
  return {{"at", to_rfc3339(attempt.at)},
          {"first_at", to_rfc3339(attempt.first_at)},
          {"count", attempt.count},
          {"peer_address", attempt.peer_address},
          {"stage", attempt.stage},
          {"code", text_or_null(attempt.code)},
          {"message", text_or_null(attempt.message)},
          {"tracking_id", attempt.tracking_id.text()}};
}

json::object to_json(const provisioning::RegistrationStory& story) {
  return {{"registration_id", story.registration_id.text()},
          {"verdict", verdict_of(story)},
          {"enrollment", object_or_null(story.enrollment, short_enrollment)},
          {"group", object_or_null(story.group, short_group)},
          {"device", object_or_null<provisioning::Device>(story.device, to_json)},
          {"operation", object_or_null(story.operation, operation_json)},
          {"approval", object_or_null<provisioning::Approval>(story.approval, to_json)},
          {"attestation_shortfall", object_or_null<provisioning::AttestationShortfall>(story.attestation, to_json)},
          {"alerts", array_of(story.alerts)},
          {"attempts", array_of(story.attempts)}};
}

}  // namespace warifu::front::api
