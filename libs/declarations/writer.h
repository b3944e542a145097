#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "declarations/declaration.h"

namespace warifu::declarations {

// A YAML document that read_declarations() takes back. For kGroupEks there is none: its EKs stand in the group.
std::string to_yaml(const Declaration& declaration);
// A line of JSON Lines that read_json_line() takes back, with its end; several for a group of many EKs.
std::string to_json_lines(const Declaration& declaration);

// What the API shows of an enrollment ("registration_id") or group ("group_id"), as a declaration: without what the
// server adds, and without what is so anyway. kInvalidInput "json…." for what is neither.
Result<Declaration> declaration_of(const boost::json::value& shown);

}  // namespace warifu::declarations
