#pragma once

#include <boost/json/value.hpp>

#include "measured_boot/claims/windows/claims.h"

namespace warifu::cli {

// null for a boot that is none of Windows'.
boost::json::value to_json(const std::optional<measured_boot::windows::WindowsClaims>& claims);

}  // namespace warifu::cli
