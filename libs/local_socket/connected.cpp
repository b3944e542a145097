#include "local_socket/connected.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "local_socket/exchange.h"

namespace warifu::local_socket {
namespace {

// The other end is one program that we belong to: it is waited for.
constexpr std::chrono::hours kPatience{24};

}  // namespace

Result<std::pair<Descriptor, Descriptor>> connected_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return Error{ErrorKind::kUnavailable, "socket.pair",
                 fmt::format("cannot make a pair of sockets: {}", std::strerror(errno))};
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

Result<SecretBytes> ConnectedClient::exchange(ByteView request_frame) {
  const std::lock_guard turn(mutex_);
  if (!socket_.is_open()) return unreachable(service_, fmt::format("{} went away", service_.program));
  auto answer = local_socket::exchange(service_, socket_.get(), request_frame, patience_);
  if (!answer) socket_ = Descriptor();
  return answer;
}

Status serve_connected(const frames::Service& service, Descriptor socket, const Handler& handler, int stop_descriptor) {
  const auto peer = peer_of(socket.get());
  if (!peer) return invalid_input("socket.inherited", "expected a connected UNIX stream socket on standard input");
  Connection connection(service.protocol, std::move(socket), *peer, kPatience);
  for (;;) {
    std::array<pollfd, 2> polled{
        {{stop_descriptor, POLLIN, 0}, {connection.descriptor(), connection.wanted_events(), 0}}};
    if (::poll(polled.data(), polled.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return Error{ErrorKind::kUnavailable, "socket.poll", fmt::format("cannot wait: {}", std::strerror(errno))};
    }
    if (polled[0].revents != 0) return {};
    if (polled[1].revents != 0 && !connection.advance(handler)) return {};
  }
}

}  // namespace warifu::local_socket
