#include "front/http/http_fields.h"

#include <algorithm>

#include "crypto/digest.h"

namespace warifu::front {

std::string etag_of(ByteView bytes) {
  return '"' + to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes().first(16)) + '"';
}

// A list of tags, or "*", by the weak comparison. Ours hold no comma.
bool has_already(const net::HttpRequest& request, std::string_view etag) {
  auto wanted = request.header("If-None-Match").value_or(std::string_view());
  if (wanted == "*") return true;
  while (!wanted.empty()) {
    auto one = wanted.substr(0, wanted.find(','));
    wanted.remove_prefix(std::min(one.size() + 1, wanted.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one.substr(0, one.find(' ')) == etag) return true;
  }
  return false;
}

}  // namespace warifu::front
