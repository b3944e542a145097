#include "front/api/webhook_api.h"

#include <memory>

#include "front/api/paging.h"
#include "front/api/requester.h"
#include "front/api/webhook_messages.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

Result<json::object> describe(webhooks::RecordsView& records, const webhooks::Webhook& webhook) {
  TRY(const auto progress, records.find_progress(webhook.scope, webhook.name));
  TRY(const auto backlog, records.backlog(webhook.scope, webhook.name));
  return to_json(webhook, progress.value_or(webhooks::Progress{}), backlog);
}

}  // namespace

std::vector<Route> WebhookApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto reads = Access::demands(Permission::kWebhookRead);
  const auto writes = Access::demands(Permission::kWebhookWrite);
  const auto bind = [this](Result<Answer> (WebhookApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  constexpr bool kOnce = true;
  const std::string all = "/api/v1/webhooks";
  const std::string one = all + "/{name}";
  return {{kGet, all, reads, bind(&WebhookApi::list)},
          {kPost, all, writes, bind(&WebhookApi::add), {}, kOnce},
          {kGet, one, reads, bind(&WebhookApi::show)},
          {kDelete, one, writes, bind(&WebhookApi::remove)},
          {kPost, one + "/secret", writes, bind(&WebhookApi::rotate_secret), {}, kOnce},
          {kPost, one + "/test", writes, bind(&WebhookApi::test)},
          {kGet, one + "/waiting/{event_id}", reads, bind(&WebhookApi::show_waiting)}};
}

// All of them: there are kWebhooksMax at most.
Result<Answer> WebhookApi::list(const Call& call) {
  json::array items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    auto& records = snapshot.webhooks();
    TRY(const auto all, records.list_webhooks(call.principal->scope));
    for (const auto& webhook : all) {
      TRY(auto item, describe(records, webhook));
      items.emplace_back(std::move(item));
    }
    return {};
  }));
  return Answer(json_response(200, {{"items", std::move(items)}}));
}

Result<Answer> WebhookApi::add(const Call& call) {
  TRY(auto parsed, parse_webhook_request(call.request.body));
  const auto request = std::make_shared<const webhooks::WebhookRequest>(std::move(parsed));
  return Answer(
      Durable{[this, request, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto issued, desk_.add(transaction.webhooks(), transaction.audit(), who, *request));
        auto response = json_response(201, to_json(issued));
        response.headers.emplace_back("Location", "/api/v1/webhooks/" + issued.webhook.name.text());
        return response;
      }});
}

Result<Answer> WebhookApi::show(const Call& call) {
  TRY(const auto name, Label::parse(call.parameter(0)));
  std::optional<json::object> body;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto webhook, snapshot.webhooks().find_webhook(call.principal->scope, name));
    if (!webhook) return webhooks::unknown_webhook(name);
    TRY(body, describe(snapshot.webhooks(), *webhook));
    return {};
  }));
  return Answer(json_response(200, *body));
}

Result<Answer> WebhookApi::remove(const Call& call) {
  TRY(const auto name, Label::parse(call.parameter(0)));
  return Answer(
      Durable{[this, name, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.remove(transaction.webhooks(), transaction.audit(), who, name));
        return no_content();
      }});
}

Result<Answer> WebhookApi::rotate_secret(const Call& call) {
  TRY(const auto name, Label::parse(call.parameter(0)));
  return Answer(
      Durable{[this, name, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto issued, desk_.rotate_secret(transaction.webhooks(), transaction.audit(), who, name));
        return json_response(201, to_json(issued));
      }});
}

Result<Answer> WebhookApi::test(const Call& call) {
  TRY(const auto name, Label::parse(call.parameter(0)));
  return Answer(
      Durable{[this, name, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto id, desk_.test(transaction.webhooks(), transaction.audit(), who, name));
        return json_response(202, {{"name", name.text()}, {"event_id", id.text()}});
      }});
}

Result<Answer> WebhookApi::show_waiting(const Call& call) {
  TRY(const auto name, Label::parse(call.parameter(0)));
  TRY(const auto event_id, Uuid::parse(call.parameter(1)));
  std::optional<json::object> body;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    const ScopeId& scope = call.principal->scope;
    TRY(const auto webhook, snapshot.webhooks().find_webhook(scope, name));
    if (!webhook) return webhooks::unknown_webhook(name);
    TRY(const auto delivery, snapshot.webhooks().find_delivery(scope, name, event_id));
    if (!delivery) return webhooks::not_waiting(name, event_id);
    body = to_json(*delivery);
    return {};
  }));
  return Answer(json_response(200, *body));
}

}  // namespace warifu::front::api
