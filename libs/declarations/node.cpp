#include "declarations/node.h"

#include <fmt/format.h>

namespace warifu::declarations {

std::string to_string(const Place& place) {
  return place.column == 0 ? fmt::format("{}:{}", place.file, place.line)
                           : fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

const Node* Node::find(std::string_view name) const {
  for (const auto& member : members)
    if (member.name == name) return &member.value;
  return nullptr;
}

}  // namespace warifu::declarations
