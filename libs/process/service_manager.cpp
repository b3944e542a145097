#include "process/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace warifu::process {
namespace {

Error failed(std::string_view name, std::string_view reason) {
  return {ErrorKind::kUnavailable, "service_manager.notify",
          fmt::format("cannot tell the service manager at {}: {}", name, reason)};
}

}  // namespace

Status notify_service_manager(std::string_view state) {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  if (variable == nullptr) return {};
  const std::string_view name(variable);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
    return failed(name, "expected the path of a socket, or @ and an abstract name");
  name.copy(address.sun_path, name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());

  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return failed(name, std::strerror(errno));
  const ssize_t sent =
      ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  const int error = errno;
  ::close(socket);
  if (sent != static_cast<ssize_t>(state.size())) return failed(name, std::strerror(error));
  return {};
}

}  // namespace warifu::process
