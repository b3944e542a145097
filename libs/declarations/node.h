#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace warifu::declarations {

// A place in a file, as editors count: from 1.
struct Place {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
};
// "devices.yaml:3:5"
std::string to_string(const Place& place);

struct Member;

// A value of a YAML document, with the place where it stands.
struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  bool is_plain = false;  // a scalar without quotes: what it is depends on who reads it
  std::string text;       // a scalar's
  std::vector<Node> items;
  std::vector<Member> members;
  std::size_t line = 0;
  std::size_t column = 0;

  // nullptr when the map has no such member.
  const Node* find(std::string_view name) const;
};

struct Member {
  std::string name;
  std::size_t line = 0;
  std::size_t column = 0;
  Node value;
};

}  // namespace warifu::declarations
