#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace warifu::sim {

// A boot of a machine that tests/logs/make-logs set up, and what must be read out of its log.
struct OwnLog {
  std::string name;  // "uki-secure-boot"
  std::filesystem::path folder;
  boost::json::object expected;
  std::string expected_text;

  // "event-log", "ima-list", "attest", "signature", "ak.public". Aborts if it is not there.
  Bytes bytes(std::string_view file) const;
};

// All of tests/logs, by name. Aborts if there are none or one is no JSON.
std::vector<OwnLog> own_logs();

}  // namespace warifu::sim
