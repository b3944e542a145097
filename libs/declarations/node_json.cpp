#include "declarations/node_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace warifu::declarations {
namespace {

namespace json = boost::json;

json::value scalar_json(const Node& node) {
  if (!node.is_plain) return json::value(node.text);
  if (node.text == "true" || node.text == "false") return json::value(node.text == "true");
  const bool may_be_number =
      !node.text.empty() && (node.text[0] == '-' || (node.text[0] >= '0' && node.text[0] <= '9'));
  json::error_code code;
  auto number = may_be_number ? json::parse(node.text, code) : json::value();
  return may_be_number && !code && number.is_number() ? std::move(number) : json::value(node.text);
}

}  // namespace

json::value to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return {};
    case Node::Kind::kScalar:
      return scalar_json(node);
    case Node::Kind::kSequence: {
      json::array array;
      for (const auto& item : node.items)
        array.push_back(to_json(item));
      return array;
    }
    case Node::Kind::kMap:
      break;
  }
  json::object object;
  for (const auto& member : node.members)
    object[member.name] = to_json(member.value);
  return object;
}

}  // namespace warifu::declarations
