#include "front/api/operator_api.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "front/api/ek_trust_messages.h"
#include "front/api/enrollment_messages.h"
#include "front/api/messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

}  // namespace

std::vector<Route> OperatorApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto bind = [this](Result<Answer> (OperatorApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  const auto demands = [](Permission permission) { return Access::demands(permission); };
  // Not the login: its answer is a secret for the bearer of a token that works once, so nobody has proved yet that it
  // is he who asks again, and the token is what makes it happen once.
  constexpr bool kOnce = true;
  return {
      {kPost, "/api/v1/login", Access::open("it takes a bootstrap token"), bind(&OperatorApi::login)},
      {kGet, "/api/v1/id-scope", demands(Permission::kEnrollmentRead), bind(&OperatorApi::show_id_scope)},
      {kPost,
       "/api/v1/service-keys",
       demands(Permission::kServiceKeyWrite),
       bind(&OperatorApi::create_service_key),
       {},
       kOnce},
      {kGet, "/api/v1/service-keys", demands(Permission::kServiceKeyWrite), bind(&OperatorApi::list_service_keys)},
      {kDelete, "/api/v1/service-keys/{name}", demands(Permission::kServiceKeyWrite),
       bind(&OperatorApi::remove_service_key)},
      {kGet, "/api/v1/devices", demands(Permission::kDeviceRead), bind(&OperatorApi::list_devices)},
      {kGet, "/api/v1/devices/{device_id}", demands(Permission::kDeviceRead), bind(&OperatorApi::show_device)},
      {kGet, "/api/v1/devices/{device_id}/hub-key", demands(Permission::kHubKeyRead), bind(&OperatorApi::show_hub_key)},
      {kGet, "/api/v1/devices/{device_id}/escrow", demands(Permission::kEscrowRead), bind(&OperatorApi::show_escrow)},
      {kGet, "/metrics", demands(Permission::kMetricsRead), bind(&OperatorApi::metrics)},
      {kGet, "/healthz", Access::open("it tells only that the process answers"), bind(&OperatorApi::healthz)},
      {kGet, "/readyz", Access::open("it tells only whether the database answers"), bind(&OperatorApi::readyz)},
  };
}

Result<Answer> OperatorApi::login(const Call& call) {
  TRY(auto parsed, parse_login(call.request.body));
  const auto request = std::make_shared<const operators::LoginRequest>(std::move(parsed));
  return Answer(Durable{[this, request](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY(const auto token, desk_.login(transaction.operators(), transaction.audit(), *request));
    return json_response(201, to_json(token));
  }});
}

Result<Answer> OperatorApi::show_id_scope(const Call& call) {
  return Answer(json_response(200, {{"id_scope", call.principal->scope.text()}}));
}

Result<Answer> OperatorApi::create_service_key(const Call& call) {
  TRY(const auto request, parse_service_key(call.request.body));
  return Answer(
      Durable{[this, request, who = *call.principal](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto key, desk_.create_service_key(transaction.operators(), transaction.audit(), who, request));
        const auto names = key.permissions.names();
        return json_response(
            201, {{"name", key.name.text()},
                  {"permissions", json::array(names.begin(), names.end())},
                  {"connection_string", fmt::format("HostName={};SharedAccessKeyName={};SharedAccessKey={}",
                                                    service_host_, key.name.text(), to_base64(key.key.reveal()))}});
      }});
}

// All of them: there are kServiceKeysMax at most.
Result<Answer> OperatorApi::list_service_keys(const Call& call) {
  std::vector<operators::ServiceKey> keys;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(keys, snapshot.operators().list_service_keys(call.principal->scope, operators::kServiceKeysMax));
    return {};
  }));
  json::array items;
  for (const auto& key : keys)
    items.emplace_back(to_json(key));
  return Answer(json_response(200, {{"items", std::move(items)}}));
}

Result<Answer> OperatorApi::remove_service_key(const Call& call) {
  TRY(const auto name, Label::parse(call.parameter(0)));
  return Answer(
      Durable{[this, name, who = *call.principal](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.remove_service_key(transaction.operators(), transaction.audit(), who, name));
        return net::HttpResponse{204, {}, "", ""};
      }});
}

Result<Answer> OperatorApi::list_devices(const Call& call) {
  return list_page(call, store_, &provisioning::RecordsView::list_devices, &provisioning::Device::device_id, to_json);
}

Result<Answer> OperatorApi::show_device(const Call& call) {
  TRY(const auto id, DeviceId::parse(call.parameter(0)));
  std::optional<provisioning::Device> device;
  std::optional<ek_trust::JudgedCertificate> certificate;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(device, snapshot.provisioning().find_device(call.principal->scope, id));
    if (!device || device->ek_name.empty()) return {};
    TRY(certificate, certificates_.find(snapshot.ek_trust(), call.principal->scope, device->ek_name));
    return {};
  }));
  if (!device) return unknown("device.unknown", "device", id.text());
  json::object body = to_json(*device);
  body["ek_certificate"] = to_json(certificate);
  return Answer(json_response(200, body));
}

Result<Answer> OperatorApi::show_hub_key(const Call& call) {
  TRY(const auto id, DeviceId::parse(call.parameter(0)));
  return Answer(
      Durable{[this, id, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto keys, devices_.reveal_hub_keys(transaction.provisioning(), transaction.audit(), who, id));
        json::object body = to_json(keys);
        body["device_id"] = id.text();
        return json_response(200, body);
      }});
}

Result<Answer> OperatorApi::show_escrow(const Call& call) {
  TRY(const auto id, DeviceId::parse(call.parameter(0)));
  return Answer(Durable{[this, id, scope = call.principal->scope,
                         actor = actor_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY(const auto deposits, escrow_.reveal(transaction.provisioning(), transaction.audit(), scope, actor, id));
    json::array packages;
    for (const auto& deposit : deposits)
      packages.emplace_back(to_json(deposit));
    return json_response(200, {{"device_id", id.text()}, {"packages", std::move(packages)}});
  }});
}

Result<Answer> OperatorApi::healthz(const Call&) {
  return Answer(json_response(200, {{"status", "ok"}}));
}

Result<Answer> OperatorApi::readyz(const Call&) {
  // Any answer will do: what counts is that the database gives one.
  TRY(const auto nobody, ScopeId::parse("readyz"));
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY_STATUS(snapshot.provisioning().scope_exists(nobody));
    return {};
  }));
  return Answer(json_response(200, {{"status", "ready"}}));
}

Result<Answer> OperatorApi::metrics(const Call&) {
  metrics_.set_challenges_outstanding(registrar_.outstanding_challenges());
  return Answer(net::HttpResponse{200, {}, "text/plain; version=0.0.4; charset=utf-8", metrics_.text()});
}

}  // namespace warifu::front::api
