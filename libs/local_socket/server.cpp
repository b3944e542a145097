#include "local_socket/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "frames/frame.h"

namespace warifu::local_socket {
namespace {

Error failed(std::string_view what) {
  return {ErrorKind::kUnavailable, "socket.poll", fmt::format("cannot {}: {}", what, std::strerror(errno))};
}

// A new socket has room for it, so nothing waits. Whether it arrives is the stranger's affair.
void send_and_forget(int descriptor, const SecretBytes& frame) {
  static_cast<void>(::send(descriptor, frame.reveal().data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

}  // namespace

int Server::poll_timeout() const {
  std::optional<SteadyTime> earliest;
  for (const Connection& connection : connections_)
    if (connection.deadline() && (!earliest || *connection.deadline() < *earliest)) earliest = connection.deadline();
  if (!earliest) return -1;
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*earliest - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(rest.count(), 0, INT_MAX));
}

std::optional<Error> Server::why_not(const Peer& peer) const {
  const auto same_user = [&](const Connection& other) { return other.peer().user == peer.user; };
  const auto of_user = static_cast<std::size_t>(std::ranges::count_if(connections_, same_user));
  if (connections_.size() >= limits_.connections)
    return Error{ErrorKind::kThrottled, service_.codes.busy,
                 fmt::format("all {} connections are in use: try again later", limits_.connections)};
  if (of_user >= limits_.connections_of_a_user)
    return Error{ErrorKind::kThrottled, service_.codes.busy,
                 fmt::format("this user has {} connections already: close one", of_user)};
  return std::nullopt;
}

Status Server::accept_one() {
  Descriptor socket(::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.is_open()) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED) return {};
    // The listener stays readable, so going on would only turn round and round.
    return failed("accept a connection");
  }
  const auto peer = peer_of(socket.get());
  if (!peer) return {};
  if (const auto refusal = doorkeeper_(*peer)) {
    send_and_forget(socket.get(), *refusal);
    return {};
  }
  if (const auto reason = why_not(*peer)) {
    send_and_forget(socket.get(), frames::encode_error(service_.protocol, {}, *reason));
    return {};
  }
  connections_.emplace_back(service_.protocol, std::move(socket), *peer, limits_.patience);
  return {};
}

Status Server::serve_until(int stop_descriptor) {
  std::vector<pollfd> polled;
  for (;;) {
    polled.assign({{stop_descriptor, POLLIN, 0}, {listener_.descriptor(), POLLIN, 0}});
    for (const Connection& connection : connections_)
      polled.push_back({connection.descriptor(), connection.wanted_events(), 0});
    if (::poll(polled.data(), polled.size(), poll_timeout()) < 0) {
      if (errno == EINTR) continue;
      return failed("wait for clients");
    }
    if (polled[0].revents != 0) return {};

    // Connections stand in the list as they stand behind the first two.
    auto events = polled.begin() + 2;
    connections_.remove_if([&, now = std::chrono::steady_clock::now()](Connection& connection) {
      if ((events++)->revents != 0) return !connection.advance(handler_);
      return connection.deadline() && *connection.deadline() <= now;
    });
    if (polled[1].revents != 0) TRY_STATUS(accept_one());
  }
}

}  // namespace warifu::local_socket
