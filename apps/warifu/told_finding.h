#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/result.h"

namespace warifu::cli {

// A finding of an attestation, as the server tells it.
struct ToldFinding {
  std::string layer;
  std::string tier;
  std::string code;
  std::string what;
  std::string where;
};
Result<ToldFinding> read_finding(const boost::json::value& value);

}  // namespace warifu::cli
