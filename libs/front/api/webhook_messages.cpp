#include "front/api/webhook_messages.h"

#include <boost/json/array.hpp>

#include "front/api/fields.h"
#include "webhooks/signature.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

json::value moment_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value();
}

Result<std::vector<std::string>> parse_event_types(const wire::JsonFields& fields) {
  std::vector<std::string> types;
  TRY(const auto* array, fields.optional_array("event_types"));
  if (array == nullptr) return types;
  for (const auto& element : *array) {
    if (!element.is_string()) return invalid_input("json.type", "a type of events is a text", "event_types");
    types.emplace_back(element.get_string());
  }
  return types;
}

}  // namespace

Result<webhooks::WebhookRequest> parse_webhook_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"name", "url", "event_types", "ca"}));
  TRY(auto name, parse_id<Label>(fields, "name"));
  TRY(auto url, fields.required_string("url"));
  TRY(auto types, parse_event_types(fields));
  TRY(auto ca, fields.optional_string("ca"));
  return webhooks::WebhookRequest{std::move(name), std::move(url), std::move(types), ca.value_or("")};
}

std::string_view state_of(const webhooks::Progress& progress) {
  if (progress.is_given_up) return "failing";
  return progress.failing_since ? "retrying" : "working";
}

json::object to_json(const webhooks::Webhook& webhook, const webhooks::Progress& progress,
                     const webhooks::Backlog& backlog) {
  return {{"name", webhook.name.text()},
          {"url", webhook.url},
          {"event_types", json::array(webhook.event_types.begin(), webhook.event_types.end())},
          {"has_own_ca", !webhook.ca_pem.empty()},
          {"state", state_of(progress)},
          {"waiting", backlog.waiting},
          {"oldest_waiting_at", moment_or_null(backlog.oldest)},
          {"delivered", progress.delivered},
          {"dropped", progress.dropped},
          {"failures", progress.failures},
          {"failing_since", moment_or_null(progress.failing_since)},
          {"last_success_at", moment_or_null(progress.last_success_at)},
          {"last_failure_at", moment_or_null(progress.last_failure_at)},
          {"last_failure", progress.last_failure},
          {"previous_secret_until", moment_or_null(webhook.previous_until)},
          {"created_at", to_rfc3339(webhook.created_at)}};
}

json::object to_json(const webhooks::Delivery& delivery) {
  return {{"event_id", delivery.event_id.text()},
          {"created_at", to_rfc3339(delivery.created_at)},
          {"attempts", delivery.attempts},
          {"due_at", to_rfc3339(delivery.due_at)}};
}

json::object to_json(const webhooks::IssuedWebhook& issued) {
  return {{"name", issued.webhook.name.text()},
          {"secret", webhooks::secret_text(issued.secret)},
          {"previous_secret_until", moment_or_null(issued.webhook.previous_until)}};
}

}  // namespace warifu::front::api
