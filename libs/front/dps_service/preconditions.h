#pragma once

#include <optional>
#include <string_view>

#include "provisioning/enrollment_request.h"

namespace warifu::front::dps_service {

// What If-Match demands of a PUT, as Azure has it: without one it creates, with "*" it changes what is there, and with
// an ETag it changes what is there of that revision. kConflict "request.revision": an ETag that is none of ours.
Result<provisioning::Precondition> precondition_of(std::optional<std::string_view> if_match);

// What If-Match demands of a DELETE: nothing, or that revision.
Result<std::optional<Uuid>> revision_of(std::optional<std::string_view> if_match);

}  // namespace warifu::front::dps_service
