#include "agent/server_reply.h"

#include <fmt/format.h>

namespace warifu::agent {

Error lie(std::string what, std::string where) {
  return refused("server.reply", "the server's answer makes no sense: " + std::move(what), std::move(where));
}

Result<Bytes> reply_bytes(const wire::JsonFields& fields, std::string_view name, std::size_t size_max) {
  TRY(auto bytes, believed(fields.required_bytes(name)));
  if (bytes.empty() || bytes.size() > size_max)
    return lie(fmt::format("expected 1 to {} bytes, got {}", size_max, bytes.size()), fields.path_of(name));
  return bytes;
}

}  // namespace warifu::agent
