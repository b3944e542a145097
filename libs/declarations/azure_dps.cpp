#include "declarations/azure_dps.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/place.h"
#include "declarations/azure_attestation.h"
#include "wire/json.h"

namespace warifu::declarations {
namespace {

namespace json = boost::json;
using wire::JsonFields;

constexpr std::size_t kExportSizeMax = 512 * 1024 * 1024;

// What is being converted, and what there is to say about it.
struct Conversion {
  json::object& request;
  const JsonFields& azure;
  std::string id;
  std::vector<MigrationNote>& notes;

  void changed(std::string text) const { notes.push_back({MigrationNote::Kind::kChanged, id, std::move(text)}); }
};

Status convert_reprovisioning(const Conversion& to) {
  TRY(const auto policy, to.azure.optional_object("reprovisionPolicy"));
  if (!policy) return {};
  TRY(const auto update, policy->optional_bool("updateHubAssignment"));
  TRY(const auto migrate, policy->optional_bool("migrateDeviceData"));
  if (!update && !migrate) return {};
  to.request["reprovision"] = !update.value_or(true) ? "never" : migrate.value_or(true) ? "migrate" : "reset";
  return {};
}

Status convert_hubs(const Conversion& to, bool is_static) {
  TRY(const auto* hubs, to.azure.optional_array("iotHubs"));
  json::array names;
  if (hubs != nullptr) names = *hubs;
  TRY(const auto hub, to.azure.optional_string("iotHubHostName"));
  // Of other policies iotHubHostName tells where the device is, not where it may go.
  if (names.empty() && is_static && hub) names.emplace_back(*hub);
  if (names.empty()) return {};
  to.request["hubs"] = names;
  to.changed("its hubs are named as in Azure: change \"hubs\" where devices are to go to other ones");
  return {};
}

Status convert_webhook(const Conversion& to) {
  TRY(const auto webhook, to.azure.optional_object("customAllocationDefinition"));
  if (!webhook) return {};
  json::object definition;
  for (const auto* name : {"webhookUrl", "apiVersion"}) {
    TRY(const auto text, webhook->optional_string(name));
    if (text) definition[name] = *text;
  }
  if (definition.empty()) return {};
  to.request["custom_allocation"] = std::move(definition);
  to.changed("its webhook is kept, and not called: state \"hubs\" and another allocation, or allocate elsewhere");
  return {};
}

Status convert_allocation(const Conversion& to) {
  TRY(const auto policy, to.azure.optional_string("allocationPolicy"));
  TRY_STATUS(convert_hubs(to, policy == "static"));
  if (!policy) return {};
  if (*policy == "geoLatency") {
    to.request["allocation"] = "geo-latency";
    to.changed("geo-latency allocation is kept, and hubs are chosen as with \"hashed\"");
  } else if (*policy == "hashed" || *policy == "custom") {
    to.request["allocation"] = *policy;
  } else if (*policy == "static") {
    const auto* hubs = to.request.if_contains("hubs");
    if (hubs != nullptr && hubs->as_array().size() == 1)
      to.request["allocation"] = "static";
    else
      to.changed("static allocation without its one hub: left out");
  } else {
    return invalid_input("azure.form", fmt::format("the allocation policy \"{}\" is not known", *policy),
                         to.azure.path_of("allocationPolicy"));
  }
  if (*policy != "custom") return {};
  TRY_STATUS(convert_webhook(to));
  if (!to.request.contains("custom_allocation")) {
    to.request.erase("allocation");
    to.changed("custom allocation without its webhook: left out");
  }
  return {};
}

// Azure's clients write members of their own types, empty, into free objects.
json::object without_empty(const json::object& object) {
  json::object kept;
  for (const auto& member : object) {
    if (member.value().is_null() || member.key() == "additionalProperties") continue;
    const auto* inner = member.value().if_object();
    kept[member.key()] = inner != nullptr && member.key() == "properties" ? without_empty(*inner) : member.value();
  }
  return kept;
}

Status convert_objects(const Conversion& to) {
  for (const auto& [azure, ours] :
       {std::pair{"initialTwin", "initial_twin"}, std::pair{"optionalDeviceInformation", "device_information"}}) {
    const auto* value = to.azure.find(azure);
    if (value == nullptr || value->is_null()) continue;
    if (!value->is_object()) return invalid_input("azure.form", "expected an object", to.azure.path_of(azure));
    auto kept = without_empty(value->get_object());
    if (!kept.empty()) to.request[ours] = std::move(kept);
  }
  return {};
}

Status convert_terms(const Conversion& to) {
  TRY(const auto status, to.azure.optional_string("provisioningStatus"));
  if (status == "disabled") to.request["enabled"] = false;
  TRY(const auto capabilities, to.azure.optional_object("capabilities"));
  if (capabilities) {
    TRY(const auto edge, capabilities->optional_bool("iotEdge"));
    if (edge.value_or(false)) to.request["iot_edge"] = true;
  }
  TRY_STATUS(convert_reprovisioning(to));
  TRY_STATUS(convert_allocation(to));
  return convert_objects(to);
}

Result<Declaration> convert_one(const json::object& object, bool is_group, const std::string& id,
                                std::vector<MigrationNote>& notes) {
  Declaration declaration;
  declaration.kind = is_group ? Declaration::Kind::kGroup : Declaration::Kind::kEnrollment;
  declaration.id = id;
  const JsonFields fields(object);
  auto& request = declaration.request;
  request[is_group ? "group_id" : "registration_id"] = id;
  TRY(request["attestation"], convert_azure_attestation(fields, is_group));
  TRY(const auto device_id, fields.optional_string("deviceId"));
  if (device_id && !is_group) {
    const auto parsed = DeviceId::parse(*device_id);
    if (!parsed) return parsed.error();
    request["device_id"] = parsed->text();
    if (parsed->text() != *device_id)
      notes.push_back(
          {MigrationNote::Kind::kChanged, id, fmt::format("its device ID \"{}\" is kept in lower case", *device_id)});
  }
  TRY_STATUS(convert_terms({request, fields, id, notes}));
  return declaration;
}

// The name as Azure wrote it, and its object.
template <class Id>
Result<std::string> id_of(const JsonFields& fields, std::string_view name) {
  TRY(const auto text, fields.required_string(name));
  TRY(const auto id, Id::parse(text));
  return id.text();
}

}  // namespace

Status AzureExport::add(std::string_view json_text, std::string_view file) {
  const auto value = wire::parse_json(json_text, {.max_bytes = kExportSizeMax});
  if (!value) return at(value.error(), std::string(file));
  const auto* list = value->if_array();
  if (list == nullptr) {
    if (const auto added = add_object(*value); !added) return at(added.error(), std::string(file));
    return {};
  }
  for (std::size_t i = 0; i < list->size(); ++i)
    if (const auto added = add_object((*list)[i]); !added)
      return at(added.error(), fmt::format("{}, number {}", file, i + 1));
  return {};
}

Status AzureExport::add_object(const json::value& value) {
  TRY(const auto fields, JsonFields::of(value));
  const bool is_group = fields.find("enrollmentGroupId") != nullptr;
  if (!is_group && fields.find("registrationId") == nullptr)
    return invalid_input("azure.form",
                         "expected an enrollment (registrationId) or a group (enrollmentGroupId); an attestation "
                         "mechanism alone does not say whose it is: export with `show --show-keys`");
  TRY(const auto id,
      is_group ? id_of<GroupId>(fields, "enrollmentGroupId") : id_of<RegistrationId>(fields, "registrationId"));
  auto& all = is_group ? groups_ : enrollments_;
  const auto [before, is_new] = all.try_emplace(id, value.get_object());
  if (is_new) return {};
  return complete_azure_attestation(before->second, value.get_object());
}

Migration AzureExport::convert() const {
  Migration migration;
  for (const bool is_group : {false, true})
    for (const auto& [id, object] : is_group ? groups_ : enrollments_) {
      std::vector<MigrationNote> notes;
      auto declaration = convert_one(object, is_group, id, notes);
      if (!declaration) {
        migration.notes.push_back({MigrationNote::Kind::kLost, id, to_string(declaration.error())});
        continue;
      }
      migration.declarations.push_back(*std::move(declaration));
      migration.notes.insert(migration.notes.end(), notes.begin(), notes.end());
    }
  return migration;
}

}  // namespace warifu::declarations
