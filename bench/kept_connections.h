#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "tls_peer.h"

namespace warifu::bench {

// Many connections that are kept: all ask the same, then all are answered.
class KeptConnections {
 public:
  KeptConnections(std::uint16_t port, SSL_CTX* context, int count);

  // Whether each of them got a right answer.
  bool ask_all(std::string_view request, const std::function<bool(const std::string&)>& is_right);

 private:
  std::list<TlsPeer> peers_;
};

}  // namespace warifu::bench
