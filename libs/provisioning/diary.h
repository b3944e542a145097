#pragma once

#include "provisioning/records.h"

namespace warifu::provisioning {

// Where attempts are written down. It changes nothing that anybody decides by, so it needs no entry in the audit log.
class Diary {
 public:
  // Of a registration the newest are kept.
  static constexpr std::size_t kPerRegistrationMax = 100;
  // What one client does again within this time is one row with a count.
  static constexpr std::chrono::seconds kTogether{60};

  virtual ~Diary() = default;
  // Writes it down, or counts it up where the same registration, network, stage and code began within kTogether. What
  // was told already (the tracking ID is there) is not told again.
  virtual Status add(const Attempt& attempt) = 0;
  // Removes at most `limit` attempts of the scope from before `before`; returns how many.
  virtual Result<std::size_t> purge(const ScopeId& scope, Timestamp before, std::size_t limit) = 0;
  // Removes the oldest `count` attempts of IDs that are enrolled, or of those that are not; returns how many there
  // were.
  virtual Result<std::size_t> trim(const ScopeId& scope, bool is_enrolled, std::size_t count) = 0;
};

}  // namespace warifu::provisioning
