#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "base/result.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot {

// {"sha256":{"0":"hex",…},…}, or an object whose member "pcrs" is that, as `eventlog replay --json` prints: then what
// else it holds is not looked at, but for a "register_kind" that is not "PCR". Codes, beside those of parse_json():
// "registers.bank", "registers.index" (above 31 or not in its shortest form), "registers.value", "registers.kind";
// `where` is the path.
Result<RegisterValues> parse_register_values(std::string_view json);

// The same form, banks in their order.
boost::json::object to_json(const RegisterValues& values);

}  // namespace warifu::measured_boot
