#include "front/api/application_key_api.h"

#include <boost/json/array.hpp>
#include <memory>

#include "front/api/application_key_messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"
#include "front/key_holders.h"
#include "provisioning/statement.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using application_keys::Desk;
using application_keys::Holder;
using application_keys::kLookedAtMax;

Error no_key(const Label& name) {
  return unknown("application-key.unknown", "application key", name.text());
}

// The versions of one name, or of all, as they stand now; the newest of each name first.
template <class View>
Result<json::array> versions(View& view, const ScopeId& scope, const RegistrationId& id,
                             const std::optional<Label>& name) {
  TRY(const auto all, view.application_keys().list_keys_of(scope, id, kLookedAtMax));
  TRY(const auto holders, find_key_holders(view.provisioning(), scope, id));
  if (all.empty() && holders.empty())
    return Error{ErrorKind::kNotFound, "enrollment.unknown", "this registration ID is not enrolled in this scope"};
  json::array items;
  auto place = items.begin();
  std::string of_name;
  for (const auto& key : all) {
    if (name && key.name != *name) continue;
    if (key.name.text() != of_name) place = items.end();
    of_name = key.name.text();
    place = items.insert(place, to_json(key, holders));
  }
  return items;
}

net::HttpResponse items_response(json::array items) {
  return json_response(200, {{"items", std::move(items)}, {"next", nullptr}});
}

// It may hold a key that is told once.
net::HttpResponse made_response(const Desk::Put& put) {
  auto response = json_response(201, to_json(put));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

// Of a registration whose enrollment stands, and who may have keys.
Result<std::vector<Holder>> holders_of(store::Transaction& transaction, const ScopeId& scope,
                                       const RegistrationId& id) {
  auto& records = transaction.provisioning();
  TRY_STATUS(find_standing(records, scope, id, lifecycle::Action::kObtainApplicationKey));
  TRY(auto holders, find_key_holders(records, scope, id));
  if (holders.front().ek_name.empty())
    return refused("application-key.no-tpm", "a key is for a TPM, and this registration is enrolled by something else");
  return holders;
}

}  // namespace

std::vector<Route> ApplicationKeyApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto reads = Access::demands(Permission::kApplicationKeyRead);
  const auto writes = Access::demands(Permission::kApplicationKeyWrite);
  const auto bind = [this](Result<Answer> (ApplicationKeyApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  constexpr bool kOnce = true;
  const std::string all = "/api/v1/registrations/{registration_id}/application-keys";
  const std::string one = all + "/{name}";
  return {{kGet, all, reads, bind(&ApplicationKeyApi::list)},
          {kPost, all, writes, bind(&ApplicationKeyApi::put), {}, kOnce},
          {kGet, one, reads, bind(&ApplicationKeyApi::show)},
          {kPost, one + "/rotate", writes, bind(&ApplicationKeyApi::rotate), {}, kOnce},
          {kPost, one + "/revoke", writes, bind(&ApplicationKeyApi::revoke)}};
}

Result<Answer> ApplicationKeyApi::list(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  json::array items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, versions(snapshot, call.principal->scope, id, std::nullopt));
    return {};
  }));
  return Answer(items_response(std::move(items)));
}

Result<Answer> ApplicationKeyApi::show(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto name, Label::parse(call.parameter(1)));
  json::array items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, versions(snapshot, call.principal->scope, id, name));
    return {};
  }));
  if (items.empty()) return no_key(name);
  return Answer(items_response(std::move(items)));
}

Result<Answer> ApplicationKeyApi::put(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(auto parsed, parse_application_key(call.request.body));
  const auto given = std::make_shared<const Desk::Given>(std::move(parsed));
  return Answer(Durable{
      [this, id, given, who = requester_of(call)](store::Transaction& transaction) -> Result<Decision> {
        TRY(const auto holders, holders_of(transaction, who.scope, id));
        TRY(const auto made,
            desk_.put(transaction.application_keys(), transaction.audit(), who.actor, holders,
                      {given->name, given->key ? std::optional(given->key->clone()) : std::nullopt, given->capped_by}));
        return Decision(made_response(made));
      },
      [this] { metrics_.count_application_key(ApplicationKeyEvent::kGiven); }});
}

Result<Answer> ApplicationKeyApi::rotate(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto name, Label::parse(call.parameter(1)));
  TRY(auto parsed, parse_rotation(call.request.body));
  const auto key = std::make_shared<const std::optional<SecretBytes>>(std::move(parsed));
  return Answer(
      Durable{[this, id, name, key, who = requester_of(call)](store::Transaction& transaction) -> Result<Decision> {
                TRY(const auto holders, holders_of(transaction, who.scope, id));
                TRY(const auto made, desk_.rotate(transaction.application_keys(), transaction.audit(), who.actor,
                                                  holders, name, *key ? std::optional((*key)->clone()) : std::nullopt));
                return Decision(made_response(made));
              },
              [this] { metrics_.count_application_key(ApplicationKeyEvent::kGiven); }});
}

// Whatever the device may: what it may not is no reason to leave it a key.
Result<Answer> ApplicationKeyApi::revoke(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto name, Label::parse(call.parameter(1)));
  return Answer(
      Durable{[this, id, name, who = requester_of(call)](store::Transaction& transaction) -> Result<Decision> {
                TRY_STATUS(desk_.revoke(transaction.application_keys(), transaction.audit(), who, id, name));
                TRY(auto items, versions(transaction, who.scope, id, name));
                return Decision(items_response(std::move(items)));
              },
              [this] { metrics_.count_application_key(ApplicationKeyEvent::kRevoked); }});
}

}  // namespace warifu::front::api
