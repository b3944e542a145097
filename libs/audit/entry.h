#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"

namespace warifu::audit {

// One decision, as the audit log keeps it. The store adds the identity and the time of the entry and commits it with
// the change that it tells of.
struct Entry {
  std::string actor;          // who: "device:meter-1", "operator:alice", "system"
  std::string action;         // what: "enrollment.create"; verbs in the imperative
  std::string subject;        // to what: "enrollment:meter-1"
  std::string detail = "{}";  // a JSON object, without secrets
};

// Where the entries of a change go. A change that records nothing is not committed.
class Trail {
 public:
  virtual ~Trail() = default;
  virtual Status record(const ScopeId& scope, const Entry& entry) = 0;
};

}  // namespace warifu::audit
