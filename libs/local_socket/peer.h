#pragma once

#include <cstdint>

namespace warifu::local_socket {

// Who is at the other end, as the kernel saw it at connect() (SO_PEERCRED, unix(7)).
struct Peer {
  std::uint32_t user;   // uid
  std::uint32_t group;  // gid
  std::int32_t process;
};

}  // namespace warifu::local_socket
