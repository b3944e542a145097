#pragma once

#include <string>

#include "base/ids.h"

namespace warifu::audit {

// Who asks for a change, and in which scope: what stands in the log ("operator:alice/…").
struct Requester {
  ScopeId scope;
  std::string actor;
};

}  // namespace warifu::audit
