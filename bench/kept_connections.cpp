#include "kept_connections.h"

#include <algorithm>
#include <vector>

namespace warifu::bench {

KeptConnections::KeptConnections(std::uint16_t port, SSL_CTX* context, int count) {
  for (int i = 0; i < count; ++i)
    peers_.emplace_back(port, context);
  shake_hands(peers_);
}

bool KeptConnections::ask_all(std::string_view request, const std::function<bool(const std::string&)>& is_right) {
  const auto answers = bench::ask_all(peers_, std::vector(peers_.size(), std::string(request)));
  return std::ranges::all_of(answers, is_right);
}

}  // namespace warifu::bench
