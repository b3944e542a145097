#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <optional>

#include "base/result.h"
#include "base/secret.h"
#include "frames/protocol.h"
#include "local_socket/connection.h"
#include "local_socket/listener.h"
#include "local_socket/peer.h"

namespace warifu::local_socket {

struct Limits {
  std::size_t connections = 16;
  std::size_t connections_of_a_user = 8;     // so that no user keeps out another
  std::chrono::milliseconds patience{5000};  // with a request that began, and with an answer that is not taken
};

// Asks before a connection is kept whether it may be. The answer frame for one who may not: it is sent, and the
// connection closed, so that a stranger holds none.
using Doorkeeper = std::function<std::optional<SecretBytes>(const Peer& peer)>;

// Answers requests on one listener, one after another in one thread. It wakes up for nothing but a client, the stop
// descriptor, and the end of patience while something is half done.
class Server {
 public:
  Server(const frames::Service& service, Listener listener, Doorkeeper doorkeeper, Handler handler, Limits limits = {})
      : service_(service),
        listener_(std::move(listener)),
        doorkeeper_(std::move(doorkeeper)),
        handler_(std::move(handler)),
        limits_(limits) {}

  // Until `stop_descriptor` (a signalfd, an eventfd) is readable; what it holds is not read. A request that was read
  // is answered. kUnavailable "socket.poll" when the system has no room left to wait or to accept.
  Status serve_until(int stop_descriptor);

 private:
  Status accept_one();
  std::optional<Error> why_not(const Peer& peer) const;
  int poll_timeout() const;

  const frames::Service& service_;
  Listener listener_;
  Doorkeeper doorkeeper_;
  Handler handler_;
  Limits limits_;
  std::list<Connection> connections_;
};

}  // namespace warifu::local_socket
