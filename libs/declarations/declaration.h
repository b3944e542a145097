#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "declarations/node.h"

// What a file declares, as the operators' API takes it (docs/formats/declarations.md).
namespace warifu::declarations {

struct Declaration {
  enum class Kind {
    kEnrollment,  // request: an enrollment
    kGroup,       // request: a group; eks: what it lists
    kGroupEks,    // more EKs of a group that is there, or was declared before
  };

  Kind kind = Kind::kEnrollment;
  std::string id;  // the registration ID or group ID, in lower case
  boost::json::object request;
  std::vector<std::string> eks;  // base64
  Place place;
};

// The content of a file that a declaration names, by the path as it stands there.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// All declarations of a YAML text. Errors are kInvalidInput with "FILE:LINE:COLUMN": those of read_yaml();
// "declaration.unknown_member", "declaration.type", "declaration.missing", "declaration.kind", "declaration.id",
// "declaration.file" (a file that it names cannot be read), "declaration.twice" (a value and a file for it).
Result<std::vector<Declaration>> read_declarations(std::string_view yaml, std::string_view file,
                                                   const ReadFile& read_file);

// The longest line of JSON Lines, in bytes.
constexpr std::size_t kLineSizeMax = 1024 * 1024;

// One line of JSON Lines: an enrollment {"registration_id", …}, a group {"group_id", "attestation", …, "eks"?}, or more
// EKs of a group {"group_id", "eks"}, as the API takes them. It names no files. Errors as above, with "FILE:LINE".
Result<Declaration> read_json_line(std::string_view text, std::string_view file, std::size_t line);

}  // namespace warifu::declarations
