#include <boost/json/array.hpp>

#include "front/api/requester.h"
#include "front/dps_service/preconditions.h"
#include "front/dps_service/query.h"
#include "front/dps_service/service_answers.h"
#include "front/dps_service/service_api.h"
#include "provisioning/statement.h"

// What became of the devices.
namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using api::requester_of;

constexpr std::string_view kUnknownRegistration = "device.unknown";

}  // namespace

Result<Answer> ServiceApi::show_registration(const Call& call) {
  TRY(const auto id, id_of<RegistrationId>(call, kUnknownRegistration));
  json::object body;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto device, snapshot.provisioning().find_device_of(call.principal->scope, id));
    if (!device || !is_registered(*device)) return api::unknown(kUnknownRegistration, "registration", id.text());
    TRY(body, registration_json(snapshot.provisioning(), *device));
    return {};
  }));
  return Answer(json_answer(body));
}

Result<Answer> ServiceApi::remove_registration(const Call& call) {
  TRY(const auto id, id_of<RegistrationId>(call, kUnknownRegistration));
  TRY(const auto revision, revision_of(call.request.header("If-Match")));
  return Answer(Durable{
      [this, id, revision, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(devices_.deregister(transaction.provisioning(), transaction.audit(), who, id, revision));
        return net::HttpResponse{204, {}, "", ""};
      }});
}

// Of the devices of one group. The pages are those of the list of devices, so that one in which some were deregistered
// is shorter.
Result<Answer> ServiceApi::query_registrations(const Call& call) {
  TRY(const auto group, id_of<GroupId>(call, "group.unknown"));
  TRY_STATUS(check_query(call.request.body, Collection::kRegistrations));
  TRY(const auto page, page_of<DeviceId>(call));
  json::array items;
  std::string continuation;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    auto& records = snapshot.provisioning();
    const ScopeId& scope = call.principal->scope;
    TRY(const auto stored, records.find_group(scope, group));
    if (!stored) return api::unknown("group.unknown", "enrollment group", group.text());
    TRY(auto devices, records.list_devices_of_group(scope, group, page));
    continuation = cut_to_page(devices, page.limit, [](const auto& device) { return device.device_id.text(); });
    for (const auto& device : devices) {
      if (!is_registered(device)) continue;
      TRY(auto item, registration_json(records, device));
      items.emplace_back(std::move(item));
    }
    return {};
  }));
  return Answer(query_response(Collection::kRegistrations, items, continuation));
}

}  // namespace warifu::front::dps_service
