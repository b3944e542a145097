#include "local_socket/client.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "local_socket/address.h"
#include "local_socket/exchange.h"

namespace warifu::local_socket {

Result<Descriptor> Client::connect() const {
  TRY(const sockaddr_un address, address_of(path_));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return unreachable(service_, fmt::format("cannot make a socket: {}", std::strerror(errno)));
  // Blocks while the server's queue is full, but no longer than this.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(deadline_);
  const timeval patience{seconds.count(),
                         std::chrono::duration_cast<std::chrono::microseconds>(deadline_ - seconds).count()};
  static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience));
  while (::connect(socket.get(), generic(address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno == EACCES || errno == EPERM)
      return Error{ErrorKind::kRefused, service_.codes.refused,
                   fmt::format("this user may not connect to {}: run as {}", path_.string(), service_.callers)};
    if (errno == ENOENT || errno == ECONNREFUSED)
      return unreachable(service_, fmt::format("{} is not running: nothing listens on {}. Start it: {}",
                                               service_.program, path_.string(), service_.start));
    return unreachable(service_, fmt::format("cannot connect to {}: {}", path_.string(), std::strerror(errno)));
  }
  return socket;
}

Result<SecretBytes> Client::exchange(ByteView request_frame) {
  TRY(const Descriptor socket, connect());
  return local_socket::exchange(service_, socket.get(), request_frame, deadline_);
}

}  // namespace warifu::local_socket
