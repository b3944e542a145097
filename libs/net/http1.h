#pragma once

#include "net/asio.h"

namespace warifu::net {

class Connection;

// Serves requests one after the other until the client or the server wants to close. `connection` outlives the
// coroutine.
Awaitable<void> serve_http1(Connection& connection);

}  // namespace warifu::net
