#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "operators/permissions.h"

namespace warifu::operators {

// Who an authenticated request comes from, and what it may do in which scope.
struct Principal {
  ScopeId scope;
  std::optional<Uuid> token_id;  // of an access token; absent: a service key
  Label name;
  Permissions permissions;
  std::optional<Timestamp> expires_at = {};  // of an access token

  // As it stands in the audit log: "operator:NAME/TOKEN" (the name is the operator's own choice, the token is what was
  // proved) or "service-key:NAME".
  std::string actor() const;
};

}  // namespace warifu::operators
