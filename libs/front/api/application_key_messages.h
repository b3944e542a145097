#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "application_keys/desk.h"

namespace warifu::front::api {

// {"name", "key": base64 or "generate": true, "capped_by_pcr"?}. kInvalidInput "application-key.source": not exactly
// one of the two.
Result<application_keys::Desk::Given> parse_application_key(std::string_view body);
// {"key": base64}, or nothing: one is made.
Result<std::optional<SecretBytes>> parse_rotation(std::string_view body);

boost::json::object to_json(const application_keys::ApplicationKey& key, application_keys::Holders holders);
boost::json::object to_json(const application_keys::Desk::Put& put);

}  // namespace warifu::front::api
