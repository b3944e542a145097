#pragma once

#include <cstdint>
#include <optional>

namespace warifu::local_socket {

// Who is at the other end, as the kernel saw it at connect() (SO_PEERCRED, unix(7)).
struct Peer {
  std::uint32_t user;   // uid
  std::uint32_t group;  // gid
  std::int32_t process;
};

// nullopt when it is no connected UNIX socket.
std::optional<Peer> peer_of(int socket);

}  // namespace warifu::local_socket
