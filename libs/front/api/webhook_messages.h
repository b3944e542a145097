#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "webhooks/desk.h"

namespace warifu::front::api {

// {"name", "url", "event_types"?, "ca"?}; unknown members are refused.
Result<webhooks::WebhookRequest> parse_webhook_request(std::string_view body);

// "working"; "retrying" after a failure; "failing" when operators were told that it does not come back.
std::string_view state_of(const webhooks::Progress& progress);

// Without the secret.
boost::json::object to_json(const webhooks::Webhook& webhook, const webhooks::Progress& progress,
                            const webhooks::Backlog& backlog);
// An event that waits, without what it says.
boost::json::object to_json(const webhooks::Delivery& delivery);
// With it: the answer is the only place where it stands.
boost::json::object to_json(const webhooks::IssuedWebhook& issued);

}  // namespace warifu::front::api
