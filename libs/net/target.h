#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace warifu::net {

// The target of a request, decoded: "/a/b%20c?x=1" has the segments "a" and "b c" and the parameter x. "/" has no
// segment; a slash at the end makes an empty last one. A segment may hold a decoded slash, and never is "." or "..".
struct Target {
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;  // in the order of the wire; "+" means a space

  // The value of the first parameter of that name; nullopt if there is none.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

// RFC 9112 §3.2.1 origin-form only. Refused with the code http.target: another form, a bad escape, a control character,
// an empty segment inside, "." and ".." (also escaped), and what is too long.
Result<Target> parse_target(std::string_view target);
// The same, but all that follows the first `opaque_from` bytes of the path, which end with a slash, is one segment,
// whatever slashes and dots are in it: something that is encoded, and no place in a tree.
Result<Target> parse_target(std::string_view target, std::size_t opaque_from);

}  // namespace warifu::net
