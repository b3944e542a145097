#include "local_socket/address.h"

#include <fmt/format.h>

namespace warifu::local_socket {

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  const std::string& text = path.native();
  // The last byte stays zero.
  const std::size_t most = sizeof address.sun_path - 1;
  if (text.empty() || text.size() > most || text.find('\0') != std::string::npos)
    return invalid_input("socket.path",
                         fmt::format("the path of a socket has 1 to {} bytes, but \"{}\" has {}: choose a shorter "
                                     "folder, like /run/warifu",
                                     most, text, text.size()));
  address.sun_family = AF_UNIX;
  text.copy(address.sun_path, most);
  return address;
}

}  // namespace warifu::local_socket
