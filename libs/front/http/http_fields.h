#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "net/http_message.h"

namespace warifu::front {

// An entity tag (RFC 9110 §8.8.3) that names these bytes, with its quotes.
std::string etag_of(ByteView bytes);
// Whether If-None-Match (§13.1.2) names what has this tag: a 304 is enough then.
bool has_already(const net::HttpRequest& request, std::string_view etag);

}  // namespace warifu::front
