#include "declarations/declaration.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "declarations/statement_reader.h"
#include "declarations/yaml_reader.h"
#include "wire/json.h"

namespace warifu::declarations {
namespace {

namespace json = boost::json;

// The same reader for JSON: a text is a text, all else is as it stands without quotes.
Node node_of(const json::value& value, std::size_t line) {
  Node node;
  node.line = line;
  if (const auto* object = value.if_object()) {
    node.kind = Node::Kind::kMap;
    for (const auto& member : *object)
      node.members.push_back({std::string(member.key()), line, 0, node_of(member.value(), line)});
  } else if (const auto* array = value.if_array()) {
    node.kind = Node::Kind::kSequence;
    for (const auto& item : *array)
      node.items.push_back(node_of(item, line));
  } else if (!value.is_null()) {
    node.kind = Node::Kind::kScalar;
    node.is_plain = !value.is_string();
    node.text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
  }
  return node;
}

Result<const Node*> name_of(const StatementReader& reader, const Node& document) {
  TRY(const Node* metadata, reader.required(document, "metadata"));
  TRY_STATUS(reader.expect_map(*metadata, "metadata"));
  TRY_STATUS(reader.refuse_unknown(*metadata, {"name"}));
  return reader.required(*metadata, "name");
}

Status add_list(std::vector<Declaration>& all, const StatementReader& reader, const Node& document, const Node& spec) {
  if (document.find("metadata") != nullptr) {
    TRY_STATUS(name_of(reader, document));
  }
  TRY_STATUS(reader.refuse_unknown(spec, {"enrollments"}));
  TRY(const Node* list, reader.required(spec, "enrollments"));
  if (list->kind != Node::Kind::kSequence)
    return reader.error("declaration.type", "enrollments: expected a list", *list);
  for (const auto& item : list->items) {
    TRY(auto declaration, reader.enrollment(item, nullptr));
    all.push_back(std::move(declaration));
  }
  return {};
}

Status add_document(std::vector<Declaration>& all, const StatementReader& reader, const Node& document) {
  TRY_STATUS(reader.expect_map(document, "a document"));
  TRY_STATUS(reader.refuse_unknown(document, {"apiVersion", "kind", "metadata", "spec"}));
  TRY(const Node* version_node, reader.required(document, "apiVersion"));
  TRY(const auto version, reader.text(*version_node, "apiVersion"));
  if (version != "warifu/v1")
    return reader.error("declaration.kind", fmt::format("expected apiVersion warifu/v1, \"{}\" came", version),
                        *version_node);
  TRY(const Node* kind_node, reader.required(document, "kind"));
  TRY(const auto kind, reader.text(*kind_node, "kind"));
  TRY(const Node* spec, reader.required(document, "spec"));
  TRY_STATUS(reader.expect_map(*spec, "spec"));
  if (kind == "EnrollmentList") return add_list(all, reader, document, *spec);
  if (kind != "Enrollment" && kind != "EnrollmentGroup")
    return reader.error("declaration.kind",
                        fmt::format("expected Enrollment, EnrollmentGroup or EnrollmentList, \"{}\" came", kind),
                        *kind_node);
  TRY(const Node* name, name_of(reader, document));
  TRY(auto declaration, kind == "Enrollment" ? reader.enrollment(*spec, name) : reader.group(*spec, name));
  all.push_back(std::move(declaration));
  return {};
}

}  // namespace

Result<std::vector<Declaration>> read_declarations(std::string_view yaml, std::string_view file,
                                                   const ReadFile& read_file) {
  TRY(const auto documents, read_yaml(yaml, file));
  const StatementReader reader(file, &read_file);
  std::vector<Declaration> all;
  for (const auto& document : documents) {
    TRY_STATUS(add_document(all, reader, document));
  }
  return all;
}

Result<Declaration> read_json_line(std::string_view text, std::string_view file, std::size_t line) {
  auto value = wire::parse_json(text, {.max_bytes = kLineSizeMax});
  if (!value) {
    Error error = std::move(value).error();
    error.where = fmt::format("{}:{}, {}", file, line, error.where);
    return error;
  }
  const Node node = node_of(*value, line);
  const StatementReader reader(file, nullptr);
  TRY_STATUS(reader.expect_map(node, "a line"));
  if (node.find("group_id") == nullptr) return reader.enrollment(node, nullptr);
  return node.find("attestation") == nullptr ? reader.group_eks(node) : reader.group(node, nullptr);
}

}  // namespace warifu::declarations
