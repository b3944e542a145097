#pragma once

#include <string>

#include "base/ids.h"

namespace warifu::verifier {

// Who asks for a change, and in which scope: what stands in the audit log ("operator:alice/…").
struct Requester {
  ScopeId scope;
  std::string actor;
};

}  // namespace warifu::verifier
