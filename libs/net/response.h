#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "net/http_message.h"

namespace warifu::net {

struct ResponseFraming {
  bool keep_alive;
  bool is_head;  // RFC 9110 §9.3.2: the fields of a GET, without the body
  Timestamp now;
};

// RFC 9112 §4, with Content-Length and Date. Not cacheable and not sniffable, unless the handler says otherwise. A
// response whose status or fields could not be sent, or would split the response, becomes a 500.
std::string serialize(const HttpResponse& response, ResponseFraming framing);
// What is to be sent after that: a large shared body. Empty if there is none, or none belongs.
std::string_view apart(const HttpResponse& response, ResponseFraming framing);

// An RFC 9457 problem. `detail` needs no escaping.
HttpResponse problem(int status, std::string_view detail);

}  // namespace warifu::net
