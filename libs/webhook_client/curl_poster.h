#pragma once

#include <atomic>

#include "webhooks/poster.h"

namespace warifu::webhook_client {

// HTTP/1.1 over TLS 1.2 or later, each request on a connection of its own; no proxy, no redirect, nothing from the
// environment. Every address is judged by webhooks::check_address() before a packet goes there, so that a name cannot
// lead where a URL may not.
class CurlPoster final : public webhooks::Poster {
 public:
  // "webhook.address" (kRefused); kUnavailable "webhook.name", "webhook.unreachable", "webhook.timeout", "webhook.tls",
  // "webhook.reply", "webhook.stopped".
  Result<webhooks::PostReply> post(const webhooks::PostRequest& request) override;

  // Requests end within about a second, and later ones at once.
  void stop() { is_stopped_ = true; }

 private:
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace warifu::webhook_client
