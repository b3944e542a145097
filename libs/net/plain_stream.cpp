#include "net/plain_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>

#include "net/socket_bio.h"

namespace warifu::net {
namespace {

// As much as a TLS record has, so that a step is a step on either kind of stream.
constexpr std::size_t kBytesPerStep = 16 * 1024;

}  // namespace

Stream::Step PlainStream::failed(Want wanted) {
  if (is_temporary_socket_error(errno)) return {.want = wanted};
  broken_ = true;
  return {.error = asio::error::eof};
}

Stream::Step PlainStream::read_step(std::span<char> buffer) {
  if (broken_) return {.error = asio::error::not_connected};
  const ssize_t received = ::recv(socket_.native_handle(), buffer.data(), std::min(buffer.size(), kBytesPerStep), 0);
  if (received < 0) return failed(Want::kRead);
  has_ended_ = received == 0;
  if (has_ended_) return {.error = asio::error::eof};
  ++steps_since_wait_;
  return {.size = static_cast<std::size_t>(received)};
}

Stream::Step PlainStream::write_step(std::string_view bytes) {
  if (broken_) return {.error = asio::error::not_connected};
  const ssize_t sent =
      ::send(socket_.native_handle(), bytes.data(), std::min(bytes.size(), kBytesPerStep), MSG_NOSIGNAL);
  if (sent < 0) return failed(Want::kWrite);
  ++steps_since_wait_;
  return {.size = static_cast<std::size_t>(sent)};
}

}  // namespace warifu::net
