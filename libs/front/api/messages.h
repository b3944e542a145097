#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "net/http_message.h"
#include "operators/desk.h"
#include "provisioning/records.h"

namespace warifu::front::api {

// {"bootstrap_token", "name"?, "permissions"?, "lifetime_seconds"?}. Without permissions all; unknown members are
// refused.
Result<operators::LoginRequest> parse_login(std::string_view body);

// {"name", "permissions"?}
Result<operators::ServiceKeyRequest> parse_service_key(std::string_view body);

boost::json::object to_json(const operators::IssuedToken& token);
// Without the key.
boost::json::object to_json(const operators::ServiceKey& key);
boost::json::object to_json(const provisioning::Device& device);
boost::json::object to_json(const provisioning::EscrowDeposit& deposit);

}  // namespace warifu::front::api
