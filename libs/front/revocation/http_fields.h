#pragma once

#include <string>

#include "base/bytes.h"
#include "base/time.h"

namespace warifu::front::revocation {

// RFC 9110 §5.6.7, like "Tue, 01 Dec 2026 00:00:00 GMT". Of a year from 0 to 9999.
std::string http_date(Timestamp time);
// An entity tag (§8.8.3) that names these bytes.
std::string etag_of(ByteView bytes);

}  // namespace warifu::front::revocation
