#pragma once

#include <chrono>
#include <mutex>
#include <utility>

#include "base/result.h"
#include "frames/channel.h"
#include "frames/protocol.h"
#include "local_socket/connection.h"
#include "local_socket/descriptor.h"

// Two programs that were connected before they met: one started the other with an end of a pair of sockets.
namespace warifu::local_socket {

// Two connected UNIX stream sockets. kUnavailable "socket.pair".
Result<std::pair<Descriptor, Descriptor>> connected_pair();

// The way to a program at the other end. For several threads at once: they take turns. After an exchange that failed
// the stream may be out of step, and every later one fails too: connect anew.
class ConnectedClient final : public frames::Channel {
 public:
  ConnectedClient(const frames::Service& service, Descriptor socket, std::chrono::milliseconds patience)
      : service_(service), socket_(std::move(socket)), patience_(patience) {}
  // As Client.
  Result<SecretBytes> exchange(ByteView request_frame) override;

 private:
  const frames::Service& service_;
  std::mutex mutex_;
  Descriptor socket_;
  std::chrono::milliseconds patience_;
};

// Answers the one client at the other end of `socket` until it closes, or `stop_descriptor` is readable. A request that
// was read is answered. kInvalidInput "socket.inherited" when it is no connected UNIX stream socket; kUnavailable
// "socket.poll".
Status serve_connected(const frames::Service& service, Descriptor socket, const Handler& handler, int stop_descriptor);

}  // namespace warifu::local_socket
