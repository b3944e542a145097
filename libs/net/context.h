#pragma once

#include <atomic>
#include <string>

#include "base/time.h"
#include "net/address_counts.h"
#include "net/connection_observer.h"
#include "net/connection_registry.h"
#include "net/handshake_gate.h"
#include "net/http_message.h"
#include "net/limits.h"

namespace warifu::net {

// What all connections of a server share. Lives longer than they do.
struct ServerContext {
  ConnectionLimits connection_limits;
  unsigned io_threads;
  ConnectionObserver& observer;
  const Clock& clock;
  ConnectionRegistry connections = {};
  std::atomic<bool> draining = false;
};

// What the connections of one listener share.
struct ListenerContext {
  const std::string name;
  const std::size_t body_bytes_max;
  const std::size_t body_bytes_of_anybody_max;
  const ListenerLimits limits;
  RequestHandler& handler;
  ServerContext& server;
  HandshakeGate handshakes;
  AddressCounts addresses{limits.connections_per_address};
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> requests_in_flight = 0;
};

}  // namespace warifu::net
