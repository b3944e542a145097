#pragma once

#include <string>

#include "base/time.h"

namespace warifu::net {

// RFC 9110 §5.6.7, like "Tue, 01 Dec 2026 00:00:00 GMT". Of a year from 0 to 9999.
std::string http_date(Timestamp time);

}  // namespace warifu::net
