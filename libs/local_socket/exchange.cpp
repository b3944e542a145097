#include "local_socket/exchange.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "frames/frame.h"

namespace warifu::local_socket {
namespace {

using SteadyClock = std::chrono::steady_clock;

// One connection and the time by which all must be done.
class Exchange {
 public:
  Exchange(const frames::Service& service, int socket, SteadyClock::time_point deadline)
      : service_(service), socket_(socket), deadline_(deadline) {}

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
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - SteadyClock::now());
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
  SteadyClock::time_point deadline_;
};

}  // namespace

Error unreachable(const frames::Service& service, std::string message) {
  return {ErrorKind::kUnavailable, service.codes.unreachable, std::move(message)};
}

Result<SecretBytes> exchange(const frames::Service& service, int socket, ByteView request_frame,
                             std::chrono::milliseconds patience) {
  Exchange exchange(service, socket, SteadyClock::now() + patience);
  TRY_STATUS(exchange.send(request_frame));
  std::array<std::uint8_t, frames::kHeaderSize> header{};
  TRY_STATUS(exchange.receive(header));
  const auto size = frames::frame_size(service.protocol, header);
  if (!size)
    return Error{
        ErrorKind::kUnavailable, service.codes.answer,
        fmt::format("what answers does not speak the protocol of {}: {}", service.program, to_string(size.error()))};
  SecretBytes answer(*size);
  std::ranges::copy(header, answer.reveal_writable().begin());
  TRY_STATUS(exchange.receive(answer.reveal_writable().subspan(header.size())));
  return answer;
}

}  // namespace warifu::local_socket
