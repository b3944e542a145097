#include "kept_connections.h"

namespace warifu::bench {

KeptConnections::KeptConnections(std::uint16_t port, SSL_CTX* context, int count) {
  for (int i = 0; i < count; ++i)
    peers_.emplace_back(port, context);
}

bool KeptConnections::ask_all(std::string_view request, const std::function<bool(const std::string&)>& is_right) {
  bool ok = true;
  for (auto& peer : peers_)
    ok = peer.send(request) && ok;
  for (auto& peer : peers_)
    ok = is_right(peer.receive()) && ok;
  return ok;
}

}  // namespace warifu::bench
