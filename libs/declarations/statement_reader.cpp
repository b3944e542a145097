#include "declarations/statement_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <system_error>

#include "base/bytes.h"
#include "base/ids.h"
#include "declarations/node_json.h"

namespace warifu::declarations {
namespace {

namespace json = boost::json;

constexpr std::string_view kBools[] = {"enabled", "approve_srk_changes", "allow_software_keys", "iot_edge"};
constexpr std::string_view kTexts[] = {"reprovision", "allocation", "required_attestation"};
constexpr std::string_view kNumbers[] = {"attestation_interval_seconds"};
constexpr std::string_view kObjects[] = {"initial_twin", "custom_allocation", "device_information"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_term(std::string_view name) {
  return contains(kBools, name) || contains(kTexts, name) || contains(kObjects, name) || contains(kNumbers, name) ||
         name == "hubs";
}

std::string trimmed(std::string text) {
  const auto is_space = [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.back()))
    text.pop_back();
  const auto begin = std::find_if_not(text.begin(), text.end(), is_space);
  text.erase(text.begin(), begin);
  return text;
}

// A file with the structure itself, or with its base64.
std::string as_base64(const std::string& content) {
  const std::string text = trimmed(content);
  const auto decoded = from_base64(text);
  return decoded && !decoded->empty() ? text : to_base64(as_bytes(content));
}

std::vector<std::string> lines_of(const std::string& content) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    auto line = trimmed(content.substr(at, end - at));
    if (!line.empty() && line.front() != '#') lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

}  // namespace

Error StatementReader::error(std::string_view code, std::string message, const Node& at) const {
  return invalid_input(code, std::move(message), to_string(Place{file_, at.line, at.column}));
}

Error StatementReader::error(std::string_view code, std::string message, const Member& at) const {
  return invalid_input(code, std::move(message), to_string(Place{file_, at.line, at.column}));
}

Status StatementReader::expect_map(const Node& node, std::string_view what) const {
  if (node.kind == Node::Kind::kMap) return {};
  return error("declaration.type", fmt::format("{}: expected members", what), node);
}

Status StatementReader::refuse_unknown(const Node& map, std::initializer_list<std::string_view> known) const {
  for (const auto& member : map.members)
    if (!contains(known, member.name))
      return error("declaration.unknown_member",
                   fmt::format("\"{}\" is not known here; known are {}", member.name, fmt::join(known, ", ")), member);
  return {};
}

Result<const Node*> StatementReader::required(const Node& map, std::string_view name) const {
  const Node* node = map.find(name);
  if (node == nullptr || node->kind == Node::Kind::kNull)
    return error("declaration.missing", fmt::format("\"{}\" is missing", name), map);
  return node;
}

Result<std::string> StatementReader::text(const Node& node, std::string_view name) const {
  if (node.kind != Node::Kind::kScalar)
    return error("declaration.type", fmt::format("{}: expected a text", name), node);
  return node.text;
}

Result<bool> StatementReader::boolean(const Node& node, std::string_view name) const {
  const bool is_bool =
      node.kind == Node::Kind::kScalar && node.is_plain && (node.text == "true" || node.text == "false");
  if (!is_bool) return error("declaration.type", fmt::format("{}: expected true or false", name), node);
  return node.text == "true";
}

Result<std::vector<std::string>> StatementReader::texts(const Node& node, std::string_view name) const {
  if (node.kind != Node::Kind::kSequence)
    return error("declaration.type", fmt::format("{}: expected a list of texts", name), node);
  std::vector<std::string> texts;
  for (const auto& item : node.items) {
    TRY(texts.emplace_back(), text(item, name));
  }
  return texts;
}

Result<std::string> StatementReader::content(const Node& name) const {
  TRY(const auto path, text(name, "a file"));
  if (read_file_ == nullptr) return error("declaration.file", "JSON Lines name no files", name);
  auto content = (*read_file_)(path);
  if (!content) return error("declaration.file", to_string(content.error()), name);
  return content;
}

Status StatementReader::add_term(json::object& request, const Member& member) const {
  const Node& node = member.value;
  if (node.kind == Node::Kind::kNull) return {};
  if (contains(kBools, member.name)) {
    TRY(request[member.name], boolean(node, member.name));
  } else if (contains(kTexts, member.name)) {
    TRY(request[member.name], text(node, member.name));
  } else if (contains(kNumbers, member.name)) {
    TRY(request[member.name], number(node, member.name));
  } else if (member.name == "hubs") {
    TRY(const auto hubs, texts(node, "hubs"));
    request["hubs"] = json::array(hubs.begin(), hubs.end());
  } else {
    TRY_STATUS(expect_map(node, member.name));
    request[member.name] = to_json(node);
  }
  return {};
}

Result<std::uint64_t> StatementReader::number(const Node& node, std::string_view name) const {
  std::uint64_t value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, code] = std::from_chars(node.text.data(), end, value);
  if (node.kind != Node::Kind::kScalar || !node.is_plain || code != std::errc() || stop != end)
    return error("declaration.type", fmt::format("{}: expected a whole number", name), node);
  return value;
}

Result<json::object> StatementReader::tpm(const Node& node) const {
  TRY_STATUS(refuse_unknown(node, {"endorsement_key", "endorsement_key_file"}));
  const Node* file = node.find("endorsement_key_file");
  const Node* key = node.find("endorsement_key");
  if (file != nullptr && key != nullptr)
    return error("declaration.twice", "endorsement_key and endorsement_key_file: give one of them", *file);
  if (file != nullptr) {
    TRY(const auto ek, content(*file));
    return json::object{{"endorsement_key", as_base64(ek)}};
  }
  TRY(key, required(node, "endorsement_key"));
  TRY(const auto ek, text(*key, "endorsement_key"));
  return json::object{{"endorsement_key", ek}};
}

Result<json::object> StatementReader::tpms_of_group(const Node& node) const {
  TRY_STATUS(refuse_unknown(node, {"naming", "ek_authorities", "approve_uncertified"}));
  json::object object;
  if (const Node* list = node.find("ek_authorities"); list != nullptr && list->kind != Node::Kind::kNull) {
    TRY(const auto authorities, texts(*list, "ek_authorities"));
    object["ek_authorities"] = json::array(authorities.begin(), authorities.end());
  }
  if (const Node* flag = node.find("approve_uncertified"); flag != nullptr && flag->kind != Node::Kind::kNull) {
    TRY(object["approve_uncertified"], boolean(*flag, "approve_uncertified"));
  }
  if (const Node* naming = node.find("naming"); naming != nullptr && naming->kind != Node::Kind::kNull) {
    TRY(object["naming"], text(*naming, "naming"));
  }
  return object;
}

Result<json::value> StatementReader::certificate(const Node& node, std::string_view name) const {
  if (node.kind != Node::Kind::kMap) {
    TRY(const auto pem, text(node, name));
    return json::value(pem);
  }
  TRY_STATUS(refuse_unknown(node, {"certificate", "certificate_file"}));
  const Node* file = node.find("certificate_file");
  const Node* certificate = node.find("certificate");
  if (file != nullptr && certificate != nullptr)
    return error("declaration.twice", "certificate and certificate_file: give one of them", *file);
  if (file == nullptr) {
    TRY(certificate, required(node, "certificate"));
    TRY(const auto pem, text(*certificate, "certificate"));
    return json::value(pem);
  }
  TRY(const auto read, content(*file));
  if (read.find("-----BEGIN") != std::string::npos) return json::value(read);
  return json::value(as_base64(read));
}

Result<json::object> StatementReader::x509(const Node& node) const {
  TRY_STATUS(refuse_unknown(node, {"primary", "secondary"}));
  TRY(const Node* primary, required(node, "primary"));
  json::object object;
  TRY(object["primary"], certificate(*primary, "primary"));
  if (const Node* secondary = node.find("secondary"); secondary != nullptr && secondary->kind != Node::Kind::kNull) {
    TRY(object["secondary"], certificate(*secondary, "secondary"));
  }
  return object;
}

Status StatementReader::add_key(json::object& keys, const Node& node, std::string_view name) const {
  const Node* key = node.find(name);
  const Node* file = node.find(fmt::format("{}_file", name));
  if (key != nullptr && file != nullptr)
    return error("declaration.twice", fmt::format("{0} and {0}_file: give one of them", name), *file);
  if (file != nullptr) {
    TRY(const auto read, content(*file));
    keys[name] = trimmed(read);
  } else if (key != nullptr && key->kind != Node::Kind::kNull) {
    TRY(keys[name], text(*key, name));
  }
  return {};
}

Result<json::object> StatementReader::symmetric_key(const Node& node) const {
  TRY_STATUS(refuse_unknown(node, {"primary_key", "primary_key_file", "secondary_key", "secondary_key_file"}));
  json::object keys;
  TRY_STATUS(add_key(keys, node, "primary_key"));
  TRY_STATUS(add_key(keys, node, "secondary_key"));
  return keys;
}

Result<json::object> StatementReader::attestation(const Node& node, bool is_group) const {
  TRY_STATUS(expect_map(node, "attestation"));
  TRY(const Node* type_node, required(node, "type"));
  TRY(const auto type, text(*type_node, "type"));
  if (type != "tpm" && type != "x509" && type != "symmetric-key")
    return error("declaration.type", fmt::format("expected the type tpm, x509 or symmetric-key, \"{}\" came", type),
                 *type_node);
  const std::string member = type == "symmetric-key" ? "symmetric_key" : type;
  TRY_STATUS(refuse_unknown(node, {"type", member}));
  json::object object{{"type", type}};
  const Node* body = node.find(member);
  if (body == nullptr || body->kind == Node::Kind::kNull) {
    // Keys are made when there are none, and a group's naming has a default.
    if (type == "symmetric-key" || (type == "tpm" && is_group)) return object;
    TRY(body, required(node, member));
  }
  TRY_STATUS(expect_map(*body, member));
  if (type == "symmetric-key") {
    TRY(object[member], symmetric_key(*body));
  } else if (type == "x509") {
    TRY(object[member], x509(*body));
  } else if (is_group) {
    TRY(object[member], tpms_of_group(*body));
  } else {
    TRY(object[member], tpm(*body));
  }
  return object;
}

Result<std::vector<std::string>> StatementReader::eks(const Node& spec) const {
  std::vector<std::string> eks;
  if (const Node* list = spec.find("eks"); list != nullptr && list->kind != Node::Kind::kNull) {
    TRY(eks, texts(*list, "eks"));
  }
  if (const Node* file = spec.find("eks_file"); file != nullptr && file->kind != Node::Kind::kNull) {
    TRY(const auto read, content(*file));
    auto more = lines_of(read);
    eks.insert(eks.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return eks;
}

namespace {

template <class Id>
Result<std::string> check_id(const StatementReader& reader, const Node& node, std::string_view name) {
  TRY(const auto text, reader.text(node, name));
  const auto id = Id::parse(text);
  if (!id) return reader.error("declaration.id", id.error().message, node);
  return id->text();
}

}  // namespace

Result<Declaration> StatementReader::enrollment(const Node& spec, const Node* id) const {
  TRY_STATUS(expect_map(spec, "an enrollment"));
  const bool says_id = id == nullptr;
  if (says_id) {
    TRY(id, required(spec, "registration_id"));
  }
  Declaration declaration;
  declaration.place = {file_, id->line, id->column};
  TRY(declaration.id, check_id<RegistrationId>(*this, *id, "registration_id"));
  auto& request = declaration.request;
  request["registration_id"] = declaration.id;
  TRY(const Node* how, required(spec, "attestation"));
  TRY(request["attestation"], attestation(*how, false));
  for (const auto& member : spec.members) {
    if (is_term(member.name)) {
      TRY_STATUS(add_term(request, member));
    } else if (member.name == "device_id") {
      if (member.value.kind == Node::Kind::kNull) continue;
      TRY(request["device_id"], text(member.value, "device_id"));
    } else if (member.name != "attestation" && !(says_id && member.name == "registration_id")) {
      return error("declaration.unknown_member", fmt::format("\"{}\" is not a member of an enrollment", member.name),
                   member);
    }
  }
  return declaration;
}

Result<Declaration> StatementReader::group(const Node& spec, const Node* id) const {
  TRY_STATUS(expect_map(spec, "a group"));
  const bool says_id = id == nullptr;
  if (says_id) {
    TRY(id, required(spec, "group_id"));
  }
  Declaration declaration;
  declaration.kind = Declaration::Kind::kGroup;
  declaration.place = {file_, id->line, id->column};
  TRY(declaration.id, check_id<GroupId>(*this, *id, "group_id"));
  auto& request = declaration.request;
  request["group_id"] = declaration.id;
  TRY(const Node* how, required(spec, "attestation"));
  TRY(request["attestation"], attestation(*how, true));
  TRY(declaration.eks, eks(spec));
  const auto& said = request["attestation"].as_object();
  const auto* tpm = said.if_contains("tpm");
  const bool lists_eks = said.at("type") == "tpm" && (tpm == nullptr || !tpm->get_object().contains("ek_authorities"));
  if (!declaration.eks.empty() && !lists_eks)
    return error("declaration.type", "only a group of the type tpm without ek_authorities lists EKs", *how);
  for (const auto& member : spec.members) {
    if (is_term(member.name)) {
      TRY_STATUS(add_term(request, member));
    } else if (member.name != "attestation" && member.name != "eks" && member.name != "eks_file" &&
               !(says_id && member.name == "group_id")) {
      return error("declaration.unknown_member", fmt::format("\"{}\" is not a member of a group", member.name), member);
    }
  }
  return declaration;
}

Result<Declaration> StatementReader::group_eks(const Node& spec) const {
  TRY_STATUS(refuse_unknown(spec, {"group_id", "eks"}));
  TRY(const Node* id, required(spec, "group_id"));
  TRY_STATUS(required(spec, "eks"));
  Declaration declaration;
  declaration.kind = Declaration::Kind::kGroupEks;
  declaration.place = {file_, id->line, id->column};
  TRY(declaration.id, check_id<GroupId>(*this, *id, "group_id"));
  TRY(declaration.eks, eks(spec));
  return declaration;
}

}  // namespace warifu::declarations
