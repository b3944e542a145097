#include "front/api/operator_api.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <charconv>

#include "front/api/messages.h"
#include "front/http/problem.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kPageSizeDefault = 100;
constexpr std::size_t kPageSizeMax = 1000;

std::string actor_of(const Call& call) {
  // The name is the operator's own choice; the token is what was proved.
  return fmt::format("operator:{}/{}", call.principal->name.text(), call.principal->token_id.text());
}

// ?after=KEY&limit=N. One more than the limit is read, to learn whether there is a next page.
template <class Key>
Result<provisioning::Page<Key>> page_of(const Call& call) {
  provisioning::Page<Key> page{std::nullopt, kPageSizeDefault};
  if (const auto after = call.target.parameter("after")) {
    auto key = Key::parse(*after);
    if (!key) return invalid_input("request.after", to_string(key.error()), "after");
    page.after = *std::move(key);
  }
  if (const auto text = call.target.parameter("limit")) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), page.limit);
    if (error != std::errc() || end != text->data() + text->size() || page.limit == 0 || page.limit > kPageSizeMax)
      return invalid_input("request.limit", fmt::format("a page has 1 to {} items", kPageSizeMax), "limit");
  }
  ++page.limit;
  return page;
}

// {"items": […], "next": the key to continue after, or null}
template <class Item, class Key>
net::HttpResponse page_response(std::vector<Item> items, const provisioning::Page<Key>& page, const Key Item::*key) {
  json::value next;
  if (items.size() == page.limit) {
    items.pop_back();
    next = (items.back().*key).text();
  }
  json::array array;
  for (const Item& item : items)
    array.emplace_back(to_json(item));
  return json_response(200, {{"items", std::move(array)}, {"next", std::move(next)}});
}

Error unknown(std::string_view code, std::string_view what, std::string_view id) {
  return {ErrorKind::kNotFound, code, fmt::format("there is no {} \"{}\"", what, id)};
}

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
      {kPost,
       "/api/v1/enrollments",
       demands(Permission::kEnrollmentWrite),
       bind(&OperatorApi::create_enrollment),
       {},
       kOnce},
      {kGet, "/api/v1/enrollments", demands(Permission::kEnrollmentRead), bind(&OperatorApi::list_enrollments)},
      {kGet, "/api/v1/enrollments/{registration_id}", demands(Permission::kEnrollmentRead),
       bind(&OperatorApi::show_enrollment)},
      {kDelete, "/api/v1/enrollments/{registration_id}", demands(Permission::kEnrollmentWrite),
       bind(&OperatorApi::delete_enrollment)},
      {kGet, "/api/v1/devices", demands(Permission::kDeviceRead), bind(&OperatorApi::list_devices)},
      {kGet, "/api/v1/devices/{device_id}", demands(Permission::kDeviceRead), bind(&OperatorApi::show_device)},
      {kGet, "/api/v1/devices/{device_id}/hub-key", demands(Permission::kHubKeyRead), bind(&OperatorApi::show_hub_key)},
      {kGet, "/api/v1/devices/{device_id}/escrow", demands(Permission::kEscrowRead), bind(&OperatorApi::show_escrow)},
      {kGet, "/metrics", demands(Permission::kMetricsRead), bind(&OperatorApi::metrics)},
      {kGet, "/healthz", Access::open("it tells only that the process answers"), bind(&OperatorApi::healthz)},
      {kGet, "/readyz", Access::open("it tells only whether the database answers"), bind(&OperatorApi::readyz)},
  };
}

Router OperatorApi::router() {
  return {routes(), [](const Error& error, std::string_view tracking_id, std::string_view) {
            return problem(error, tracking_id);
          }};
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
  TRY(const auto name, parse_service_key(call.request.body));
  return Answer(
      Durable{[this, name, principal = *call.principal](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto key, desk_.create_service_key(transaction.operators(), transaction.audit(), principal, name));
        return json_response(
            201, {{"name", key.name.text()},
                  {"connection_string", fmt::format("HostName={};SharedAccessKeyName={};SharedAccessKey={}",
                                                    service_host_, key.name.text(), to_base64(key.key.reveal()))}});
      }});
}

Result<Answer> OperatorApi::create_enrollment(const Call& call) {
  TRY(auto request, parse_enrollment(call.request.body));
  const auto apply = [this, request = std::move(request), scope = call.principal->scope,
                      actor = actor_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY(const auto created,
        enrollments_.create(transaction.provisioning(), transaction.audit(), scope, actor, request));
    json::object body = to_json(created.enrollment);
    json::array same_ek;
    for (const auto& id : created.same_ek)
      same_ek.emplace_back(id.text());
    body["same_ek_as"] = std::move(same_ek);
    auto response = json_response(201, body);
    response.headers.emplace_back("Location",
                                  fmt::format("/api/v1/enrollments/{}", created.enrollment.registration_id.text()));
    return response;
  };
  return Answer(Durable{apply});
}

Result<Answer> OperatorApi::list_enrollments(const Call& call) {
  TRY(const auto page, page_of<RegistrationId>(call));
  std::vector<provisioning::Enrollment> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, snapshot.provisioning().list_enrollments(call.principal->scope, page));
    return {};
  }));
  return Answer(page_response(std::move(items), page, &provisioning::Enrollment::registration_id));
}

Result<Answer> OperatorApi::show_enrollment(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  std::optional<provisioning::Enrollment> enrollment;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(enrollment, snapshot.provisioning().find_enrollment(call.principal->scope, id));
    return {};
  }));
  if (!enrollment) return unknown("enrollment.unknown", "enrollment", id.text());
  return Answer(json_response(200, to_json(*enrollment)));
}

Result<Answer> OperatorApi::delete_enrollment(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  return Answer(Durable{[this, id, scope = call.principal->scope,
                         actor = actor_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY_STATUS(enrollments_.remove(transaction.provisioning(), transaction.audit(), scope, actor, id));
    return net::HttpResponse{204, {}, "", ""};
  }});
}

Result<Answer> OperatorApi::list_devices(const Call& call) {
  TRY(const auto page, page_of<DeviceId>(call));
  std::vector<provisioning::Device> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, snapshot.provisioning().list_devices(call.principal->scope, page));
    return {};
  }));
  return Answer(page_response(std::move(items), page, &provisioning::Device::device_id));
}

Result<Answer> OperatorApi::show_device(const Call& call) {
  TRY(const auto id, DeviceId::parse(call.parameter(0)));
  std::optional<provisioning::Device> device;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(device, snapshot.provisioning().find_device(call.principal->scope, id));
    return {};
  }));
  if (!device) return unknown("device.unknown", "device", id.text());
  return Answer(json_response(200, to_json(*device)));
}

Result<Answer> OperatorApi::show_hub_key(const Call& call) {
  TRY(const auto id, DeviceId::parse(call.parameter(0)));
  return Answer(Durable{[this, id, scope = call.principal->scope,
                         actor = actor_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY(const auto key, enrollments_.reveal_hub_key(transaction.provisioning(), transaction.audit(), scope, actor, id));
    return json_response(200, {{"device_id", id.text()}, {"primary_key", to_base64(key.reveal())}});
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
