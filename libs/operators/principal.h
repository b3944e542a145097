#pragma once

#include "base/ids.h"
#include "operators/permissions.h"

namespace warifu::operators {

// Who an authenticated request comes from, and what it may do in which scope.
struct Principal {
  ScopeId scope;
  Uuid token_id;
  Label name;
  Permissions permissions;
};

}  // namespace warifu::operators
