#include "unix_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace warifu::bus {
namespace {

Error socket_error(std::string_view what, const std::string& path, int error) {
  return {ErrorKind::kUnavailable, "bus.socket", fmt::format("cannot {} {}: {}", what, path, std::strerror(error))};
}

// A socket, and `act` (bind or connect) done with the path.
Result<Descriptor> open_socket(const std::string& path, std::string_view what,
                               int (*act)(int, const sockaddr*, socklen_t)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return socket_error(what, path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor out(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out) return socket_error(what, path, errno);
  if (act(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return socket_error(what, path, errno);
  return out;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Descriptor> listen_on(const std::string& path) {
  unlink(path.c_str());  // of a recorder that was killed
  TRY(Descriptor out, open_socket(path, "listen on", bind));
  if (listen(out.get(), 8) != 0) return socket_error("listen on", path, errno);
  return out;
}

Result<Descriptor> connect_to(const std::string& path) {
  return open_socket(path, "connect to", connect);
}

bool send_all(const Descriptor& socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_into(const Descriptor& socket, Bytes& buffer) {
  std::array<std::uint8_t, 8192> chunk;
  const ssize_t received = recv(socket.get(), chunk.data(), chunk.size(), 0);
  if (received < 0 && errno == EINTR) return true;
  if (received <= 0) return false;
  buffer.insert(buffer.end(), chunk.begin(), chunk.begin() + received);
  return true;
}

}  // namespace warifu::bus
