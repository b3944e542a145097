#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>

#include "base/result.h"

namespace warifu::local_socket {

// The address of a socket in the file system. kInvalidInput "socket.path": empty, or longer than sun_path (unix(7)).
Result<sockaddr_un> address_of(const std::filesystem::path& path);

inline const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // as the socket calls want it
}

}  // namespace warifu::local_socket
