#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "operators/principal.h"
#include "operators/records.h"

namespace warifu::operators {

// Turns the Authorization header of a request into a Principal.
class Authenticator {
 public:
  explicit Authenticator(const Clock& clock) : clock_(clock) {}

  // kUnauthenticated "credential.missing" (no bearer token), "credential.unknown" (none of ours) or
  // "credential.expired".
  Result<Principal> authenticate(RecordsView& records, std::optional<std::string_view> authorization) const;

 private:
  const Clock& clock_;
};

}  // namespace warifu::operators
