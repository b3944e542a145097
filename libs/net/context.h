#pragma once

#include <atomic>
#include <string>

#include "net/connection_observer.h"
#include "net/connection_registry.h"
#include "net/http_message.h"
#include "net/limits.h"

namespace warifu::net {

// What all connections of a server share. Lives longer than they do.
struct ServerContext {
  ServerLimits limits;
  ConnectionLimits connection_limits;
  ConnectionObserver& observer;
  ConnectionRegistry connections = {};
  std::atomic<std::size_t> requests_in_flight = 0;
  std::atomic<bool> draining = false;
};

// What the connections of one listener share.
struct ListenerContext {
  std::string name;
  std::size_t body_bytes_max;
  RequestHandler& handler;
  ServerContext& server;
};

}  // namespace warifu::net
