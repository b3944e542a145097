#include "local_socket/peer.h"

#include <sys/socket.h>
#include <sys/types.h>

namespace warifu::local_socket {

std::optional<Peer> peer_of(int socket) {
  // Only a UNIX socket knows who is at the other end; another one would say nobody.
  int domain = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) return std::nullopt;
  ucred credentials{};
  size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
      credentials.uid == static_cast<uid_t>(-1))
    return std::nullopt;
  return Peer{credentials.uid, credentials.gid, credentials.pid};
}

}  // namespace warifu::local_socket
