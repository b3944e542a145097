#pragma once

#include <string_view>

#include "net/http_message.h"

namespace warifu::front {

// The HTTP status of an error.
int http_status(const Error& error);

// RFC 9457 problem details: {"type","title","status","code","detail","tracking_id"} as application/problem+json. What
// is internal is told to the log only.
net::HttpResponse problem(const Error& error, std::string_view tracking_id);

}  // namespace warifu::front
