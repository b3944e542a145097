#pragma once

#include <string>

#include "net/http_message.h"

namespace warifu::bench {

// A request as it goes over a connection of HTTP/1.1, and a response as it comes: the status is 0 if it is none.
std::string written(const net::HttpRequest& request);
net::HttpResponse read_response(const std::string& text);

}  // namespace warifu::bench
