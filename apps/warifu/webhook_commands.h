#pragma once

#include <string>
#include <vector>

#include "warifu/commands.h"

namespace warifu::cli {

struct WebhookOptions {
  std::string name;
  std::string url;
  std::vector<std::string> event_types;  // none: all
  std::string ca_file;                   // PEM; empty: the server's system authorities
};
// Prints the secret, which is nowhere else.
Status add_webhook(const Context& context, const WebhookOptions& options);
Status list_webhooks(const Context& context);
Status show_webhook(const Context& context, const std::string& name);
Status remove_webhook(const Context& context, const std::string& name);
// Prints the new secret; for a day the old one signs too.
Status rotate_webhook_secret(const Context& context, const std::string& name);
// Sends an event that says nothing and waits for what becomes of it. kRefused "webhook.test" when the receiver does not
// take it, kUnavailable when nothing is known after 20 s.
Status test_webhook(const Context& context, const std::string& name);

}  // namespace warifu::cli
