#include "front/dps_service/terms_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using provisioning::Allocation;
using provisioning::Reprovision;
using provisioning::Terms;

constexpr std::array kAllocations = {
    std::pair{Allocation::kHashed, std::string_view("hashed")},
    std::pair{Allocation::kGeoLatency, std::string_view("geoLatency")},
    std::pair{Allocation::kStatic, std::string_view("static")},
    std::pair{Allocation::kCustom, std::string_view("custom")},
};

Result<bool> parse_enabled(const wire::JsonFields& fields) {
  TRY(const auto status, fields.optional_string("provisioningStatus"));
  if (!status || *status == "enabled") return true;
  if (*status == "disabled") return false;
  return invalid_input("enrollment.status", fmt::format("\"{}\" is no status: enabled or disabled", *status),
                       fields.path_of("provisioningStatus"));
}

// A serializer may leave out what is false.
Result<std::optional<Reprovision>> parse_reprovision(const wire::JsonFields& fields) {
  TRY(const auto policy, fields.optional_object("reprovisionPolicy"));
  if (!policy) return std::optional<Reprovision>();
  TRY(const auto update, policy->optional_bool("updateHubAssignment"));
  TRY(const auto migrate, policy->optional_bool("migrateDeviceData"));
  if (!update.value_or(false)) return std::optional(Reprovision::kNever);
  return std::optional(migrate.value_or(false) ? Reprovision::kMigrate : Reprovision::kReset);
}

json::object reprovision_json(Reprovision reprovision) {
  return {{"updateHubAssignment", reprovision != Reprovision::kNever},
          {"migrateDeviceData", reprovision == Reprovision::kMigrate}};
}

Result<std::optional<Allocation>> parse_allocation(const wire::JsonFields& fields) {
  TRY(const auto text, fields.optional_string("allocationPolicy"));
  if (!text) return std::optional<Allocation>();
  for (const auto& [value, name] : kAllocations)
    if (name == *text) return std::optional(value);
  return invalid_input("enrollment.allocation",
                       fmt::format("\"{}\" is no allocation policy: hashed, geoLatency, static or custom", *text),
                       fields.path_of("allocationPolicy"));
}

std::string_view name_of(Allocation allocation) {
  return std::ranges::find(kAllocations, allocation, &decltype(kAllocations)::value_type::first)->second;
}

// iotHubs is the list; iotHubHostName is the one of static allocation, from before there were lists.
Result<std::vector<std::string>> parse_hubs(const wire::JsonFields& fields) {
  std::vector<std::string> hubs;
  TRY(const auto* array, fields.optional_array("iotHubs"));
  if (array != nullptr) {
    for (const auto& hub : *array) {
      if (!hub.is_string())
        return invalid_input("json.type", "a hub is a text: the name of a host", fields.path_of("iotHubs"));
      hubs.emplace_back(hub.get_string());
    }
  }
  TRY(const auto one, fields.optional_string("iotHubHostName"));
  if (!one || one->empty()) return hubs;
  if (!hubs.empty() && std::ranges::find(hubs, *one) == hubs.end())
    return invalid_input("enrollment.hubs", fmt::format("iotHubHostName names {}, which is not in iotHubs", *one),
                         fields.path_of("iotHubHostName"));
  return std::vector{*one};
}

// A JSON object that is kept for somebody else.
Result<std::optional<std::string>> parse_opaque(const wire::JsonFields& fields, std::string_view name) {
  const auto* value = fields.find(name);
  if (value == nullptr || value->is_null()) return std::optional<std::string>();
  if (!value->is_object()) return invalid_input("json.type", "expected an object", fields.path_of(name));
  return std::optional(json::serialize(*value));
}

void add_opaque(json::object& object, std::string_view name, const std::optional<std::string>& text) {
  if (text) object[name] = json::parse(*text);
}

}  // namespace

Result<Terms> parse_terms(const wire::JsonFields& fields) {
  Terms terms;
  TRY(terms.enabled, parse_enabled(fields));
  TRY(terms.reprovision, parse_reprovision(fields));
  TRY(terms.allocation, parse_allocation(fields));
  TRY(terms.hubs, parse_hubs(fields));
  TRY(terms.custom_allocation, parse_opaque(fields, "customAllocationDefinition"));
  TRY(terms.initial_twin, parse_opaque(fields, "initialTwin"));
  TRY(terms.device_information, parse_opaque(fields, "optionalDeviceInformation"));
  TRY(const auto capabilities, fields.optional_object("capabilities"));
  if (capabilities) {
    TRY(const auto iot_edge, capabilities->optional_bool("iotEdge"));
    terms.iot_edge = iot_edge.value_or(false);
  }
  TRY_STATUS(check_terms(terms));
  return terms;
}

void add_terms(json::object& object, const Terms& terms) {
  object["provisioningStatus"] = terms.enabled ? "enabled" : "disabled";
  if (terms.reprovision) object["reprovisionPolicy"] = reprovision_json(*terms.reprovision);
  if (terms.allocation) object["allocationPolicy"] = name_of(*terms.allocation);
  if (!terms.hubs.empty()) object["iotHubs"] = json::array(terms.hubs.begin(), terms.hubs.end());
  if (terms.hubs.size() == 1) object["iotHubHostName"] = terms.hubs.front();
  object["capabilities"] = json::object{{"iotEdge", terms.iot_edge}};
  add_opaque(object, "customAllocationDefinition", terms.custom_allocation);
  add_opaque(object, "initialTwin", terms.initial_twin);
  add_opaque(object, "optionalDeviceInformation", terms.device_information);
}

}  // namespace warifu::front::dps_service
