#pragma once

#include <boost/json/value.hpp>

#include "declarations/node.h"

namespace warifu::declarations {

// What a YAML value is in JSON: a scalar without quotes is true, false, a number where JSON writes one so, and a text
// everywhere else.
boost::json::value to_json(const Node& node);

}  // namespace warifu::declarations
