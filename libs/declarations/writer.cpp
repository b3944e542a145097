#include "declarations/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.h"

namespace warifu::declarations {
namespace {

namespace json = boost::json;

// A line stays far below kLineSizeMax: an EK on RSA-3072 has 600 characters.
constexpr std::size_t kEksPerLine = 1000;

// A longer key must be announced with "?" (YAML 1.2, 7.4.2: 1024 characters).
constexpr std::size_t kSimpleKeySizeMax = 1000;

constexpr std::string_view kTerms[] = {"enabled",
                                       "reprovision",
                                       "allocation",
                                       "hubs",
                                       "approve_srk_changes",
                                       "required_attestation",
                                       "attestation_interval_seconds",
                                       "allow_software_keys",
                                       "iot_edge",
                                       "initial_twin",
                                       "custom_allocation",
                                       "device_information"};

// Every scalar and every empty value is as JSON writes it, which YAML understands; only blocks are YAML's.
void write_members(std::string& out, const json::object& object, std::size_t indent);

void write_value(std::string& out, const json::value& value, std::size_t indent) {
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '\n';
    write_members(out, *object, indent + 2);
    return;
  }
  const auto* array = value.if_array();
  const bool is_flat = array == nullptr || array->empty() ||
                       !std::all_of(array->begin(), array->end(), [](const auto& item) { return item.is_string(); });
  if (is_flat) {
    out += ' ';
    out += json::serialize(value);
    out += '\n';
    return;
  }
  out += '\n';
  for (const auto& item : *array)
    out += fmt::format("{:{}}- {}\n", "", indent + 2, json::serialize(item));
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && key != "null" && key != "true" && key != "false" &&
         std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

void write_members(std::string& out, const json::object& object, std::size_t indent) {
  for (const auto& member : object) {
    const std::string_view key = member.key();
    out.append(indent, ' ');
    const std::string name = is_plain_key(key) ? std::string(key) : json::serialize(json::value(key));
    out += name.size() > kSimpleKeySizeMax ? fmt::format("? {}\n{:{}}:", name, "", indent) : name + ":";
    write_value(out, member.value(), indent);
  }
}

json::array array_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

bool is_so_anyway(std::string_view name, const json::value& value) {
  if (value.is_null()) return true;
  if (name == "enabled") return value == true;
  if (const auto* array = value.if_array()) return array->empty();
  return value == false;
}

Result<json::value> certificate_of(const json::value& shown) {
  const auto* object = shown.if_object();
  if (object == nullptr) return shown;
  TRY(const auto text, wire::JsonFields(*object).required_string("certificate"));
  return json::value(text);
}

Result<json::object> attestation_of(const wire::JsonFields& fields) {
  TRY(const auto shown, fields.required_object("attestation"));
  TRY(const auto type, shown.required_string("type"));
  json::object attestation{{"type", type}};
  for (const auto* name : {"tpm", "symmetric_key"})
    if (const auto* body = shown.find(name); body != nullptr && !body->is_null()) attestation[name] = *body;
  TRY(const auto x509, shown.optional_object("x509"));
  if (!x509) return attestation;
  json::object pair;
  for (const auto* name : {"primary", "secondary"}) {
    const auto* certificate = x509->find(name);
    if (certificate == nullptr || certificate->is_null()) continue;
    TRY(pair[name], certificate_of(*certificate));
  }
  attestation["x509"] = std::move(pair);
  return attestation;
}

}  // namespace

std::string to_yaml(const Declaration& declaration) {
  const bool is_group = declaration.kind == Declaration::Kind::kGroup;
  json::object spec = declaration.request;
  spec.erase(is_group ? "group_id" : "registration_id");
  if (!declaration.eks.empty()) spec["eks"] = array_of(declaration.eks);
  std::string out =
      fmt::format("---\napiVersion: warifu/v1\nkind: {}\nmetadata:\n  name: {}\nspec:\n",
                  is_group ? "EnrollmentGroup" : "Enrollment", json::serialize(json::value(declaration.id)));
  write_members(out, spec, 2);
  return out;
}

std::string to_json_lines(const Declaration& declaration) {
  std::string out;
  if (declaration.kind != Declaration::Kind::kGroupEks) out = json::serialize(declaration.request) + "\n";
  const auto& eks = declaration.eks;
  for (std::size_t at = 0; at < eks.size(); at += kEksPerLine) {
    json::array some;
    for (std::size_t i = at; i < std::min(at + kEksPerLine, eks.size()); ++i)
      some.emplace_back(eks[i]);
    out += json::serialize(json::object{{"group_id", declaration.id}, {"eks", std::move(some)}}) + "\n";
  }
  return out;
}

Result<Declaration> declaration_of(const json::value& shown) {
  TRY(const auto fields, wire::JsonFields::of(shown));
  Declaration declaration;
  TRY(const auto group, fields.optional_string("group_id"));
  if (group) {
    declaration.kind = Declaration::Kind::kGroup;
    declaration.id = *group;
    declaration.request["group_id"] = *group;
  } else {
    TRY(declaration.id, fields.required_string("registration_id"));
    declaration.request["registration_id"] = declaration.id;
  }
  TRY(declaration.request["attestation"], attestation_of(fields));
  TRY(const auto device_id, fields.optional_string("device_id"));
  if (device_id) declaration.request["device_id"] = *device_id;
  for (const auto name : kTerms)
    if (const auto* value = fields.find(name); value != nullptr && !is_so_anyway(name, *value))
      declaration.request[name] = *value;
  return declaration;
}

}  // namespace warifu::declarations
