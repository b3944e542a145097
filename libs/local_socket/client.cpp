#include "local_socket/client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "local_socket/address.h"
#include "tcb_protocol/codec.h"

namespace warifu::local_socket {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

Error unreachable(std::string message) {
  return {ErrorKind::kUnavailable, "tcb.unreachable", std::move(message)};
}

// One connection and the time by which all must be done.
class Exchange {
 public:
  Exchange(const Descriptor& socket, SteadyTime deadline) : socket_(socket.get()), deadline_(deadline) {}

  Status send(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
      } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        TRY_STATUS(wait_for(POLLOUT));
      } else if (errno == EPIPE || errno == ECONNRESET) {
        return {};  // closed to us, perhaps with an answer that says why
      } else if (errno != EINTR) {
        return unreachable(fmt::format("cannot send to warifu-tcb: {}", std::strerror(errno)));
      }
    }
    return {};
  }

  Status receive(std::span<std::uint8_t> into) {
    while (!into.empty()) {
      const ssize_t got = ::recv(socket_, into.data(), into.size(), MSG_DONTWAIT);
      if (got > 0) {
        into = into.subspan(static_cast<std::size_t>(got));
      } else if (got == 0 || errno == ECONNRESET) {
        return unreachable("warifu-tcb closed the connection before its answer was complete; its log says why");
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        TRY_STATUS(wait_for(POLLIN));
      } else if (errno != EINTR) {
        return unreachable(fmt::format("cannot receive from warifu-tcb: {}", std::strerror(errno)));
      }
    }
    return {};
  }

 private:
  Status wait_for(short events) const {
    for (;;) {
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
      const auto timeout = static_cast<int>(std::clamp<std::int64_t>(rest.count(), 0, INT_MAX));
      pollfd polled{socket_, events, 0};
      const int ready = ::poll(&polled, 1, timeout);
      if (ready > 0) return {};
      if (ready == 0) return unreachable("warifu-tcb did not answer in time: is its TPM in order?");
      if (errno != EINTR) return unreachable(fmt::format("cannot wait for warifu-tcb: {}", std::strerror(errno)));
    }
  }

  int socket_;
  SteadyTime deadline_;
};

}  // namespace

Result<Descriptor> Client::connect() const {
  TRY(const sockaddr_un address, address_of(path_));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return unreachable(fmt::format("cannot make a socket: {}", std::strerror(errno)));
  // Blocks while the server's queue is full, but no longer than this.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(deadline_);
  const timeval patience{seconds.count(),
                         std::chrono::duration_cast<std::chrono::microseconds>(deadline_ - seconds).count()};
  static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience));
  while (::connect(socket.get(), generic(address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno == EACCES || errno == EPERM)
      return Error{ErrorKind::kRefused, "tcb.refused",
                   fmt::format("this user may not connect to {}: run as the agent's user or as root", path_.string())};
    if (errno == ENOENT || errno == ECONNREFUSED)
      return unreachable(
          fmt::format("warifu-tcb is not running: nothing listens on {}. Start it: systemctl start "
                      "warifu-tcb",
                      path_.string()));
    return unreachable(fmt::format("cannot connect to {}: {}", path_.string(), std::strerror(errno)));
  }
  return socket;
}

Result<SecretBytes> Client::exchange(ByteView request_frame) {
  const auto deadline = std::chrono::steady_clock::now() + deadline_;
  TRY(const Descriptor socket, connect());
  Exchange exchange(socket, deadline);
  TRY_STATUS(exchange.send(request_frame));
  std::array<std::uint8_t, tcb_protocol::kHeaderSize> header{};
  TRY_STATUS(exchange.receive(header));
  const auto size = tcb_protocol::frame_size(header);
  if (!size)
    return Error{ErrorKind::kUnavailable, "tcb.answer",
                 fmt::format("what listens on {} does not speak the TCB's protocol: {}", path_.string(),
                             to_string(size.error()))};
  SecretBytes answer(*size);
  std::ranges::copy(header, answer.reveal_writable().begin());
  TRY_STATUS(exchange.receive(answer.reveal_writable().subspan(header.size())));
  return answer;
}

}  // namespace warifu::local_socket
