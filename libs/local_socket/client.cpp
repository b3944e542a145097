#include "local_socket/client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "frames/frame.h"
#include "local_socket/address.h"

namespace warifu::local_socket {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

Error unreachable(const frames::Service& service, std::string message) {
  return {ErrorKind::kUnavailable, service.codes.unreachable, std::move(message)};
}

// One connection and the time by which all must be done.
class Exchange {
 public:
  Exchange(const frames::Service& service, const Descriptor& socket, SteadyTime deadline)
      : service_(service), socket_(socket.get()), deadline_(deadline) {}

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
        return unreachable(service_, fmt::format("cannot send to {}: {}", service_.program, std::strerror(errno)));
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
        return unreachable(
            service_,
            fmt::format("{} closed the connection before its answer was complete; its log says why", service_.program));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        TRY_STATUS(wait_for(POLLIN));
      } else if (errno != EINTR) {
        return unreachable(service_, fmt::format("cannot receive from {}: {}", service_.program, std::strerror(errno)));
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
      if (ready == 0)
        return unreachable(service_, fmt::format("{} did not answer in time: {}", service_.program, service_.if_slow));
      if (errno != EINTR)
        return unreachable(service_, fmt::format("cannot wait for {}: {}", service_.program, std::strerror(errno)));
    }
  }

  const frames::Service& service_;
  int socket_;
  SteadyTime deadline_;
};

}  // namespace

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
  const auto deadline = std::chrono::steady_clock::now() + deadline_;
  TRY(const Descriptor socket, connect());
  Exchange exchange(service_, socket, deadline);
  TRY_STATUS(exchange.send(request_frame));
  std::array<std::uint8_t, frames::kHeaderSize> header{};
  TRY_STATUS(exchange.receive(header));
  const auto size = frames::frame_size(service_.protocol, header);
  if (!size)
    return Error{ErrorKind::kUnavailable, service_.codes.answer,
                 fmt::format("what listens on {} does not speak the protocol of {}: {}", path_.string(),
                             service_.program, to_string(size.error()))};
  SecretBytes answer(*size);
  std::ranges::copy(header, answer.reveal_writable().begin());
  TRY_STATUS(exchange.receive(answer.reveal_writable().subspan(header.size())));
  return answer;
}

}  // namespace warifu::local_socket
