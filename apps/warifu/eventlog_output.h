#pragma once

#include <boost/json/value.hpp>

#include "measured_boot/event_log/event_log.h"

namespace warifu::cli {

// {"sha256":{"0":"hex",…},…}
boost::json::object to_json(const measured_boot::RegisterValues& values);
// Format, kind of registers, startup locality, number of events, what follows the end, findings: the members that
// `replay` and `show` have in common.
boost::json::object summary_of(const measured_boot::EventLog& log);

}  // namespace warifu::cli
