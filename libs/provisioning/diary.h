#pragma once

#include "provisioning/records.h"

namespace warifu::provisioning {

// Where attempts are written down. It changes nothing that anybody decides by, so it needs no entry in the audit log.
class Diary {
 public:
  virtual ~Diary() = default;
  virtual Status add(const Attempt& attempt) = 0;
  // Removes at most `limit` attempts of the scope from before `before`; returns how many.
  virtual Result<std::size_t> purge(const ScopeId& scope, Timestamp before, std::size_t limit) = 0;
};

}  // namespace warifu::provisioning
