#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace warifu::webhooks {

struct PostRequest {
  std::string url;
  std::string ca_pem;  // empty: the system's authorities
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct PostReply {
  int status = 0;
  std::optional<std::chrono::seconds> retry_after = {};
};

// Takes a request to its receiver, within kRequestTimeout, and follows no redirect. libs/webhook_client has the real
// one. Safe to call from several threads.
class Poster {
 public:
  virtual ~Poster() = default;
  // kUnavailable or kRefused, with a code "webhook.…", when no answer came or there must be none.
  virtual Result<PostReply> post(const PostRequest& request) = 0;
};

}  // namespace warifu::webhooks
