#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "operators/principal.h"

namespace warifu::operators {

// Who the access tokens belong to that were looked up in the last second and since the operators' records changed: a
// program that asks a thousand times is looked up once. A token that this process revokes is not known from the moment
// in which that is acknowledged; the second is for what another process may change (`warifud bootstrap-token`). Only
// tokens that are there can fill it. Safe to use from several threads.
class KnownTokens {
 public:
  // `version` is store::Store::operators_version(), asked before the records are read. nullopt: look it up.
  std::optional<Principal> find(std::string_view authorization, std::uint64_t version, Timestamp now);
  // What a look into the records of that version, or of a later one, has found. Principals without a token are not
  // kept.
  void keep(std::string_view authorization, std::uint64_t version, const Principal& principal, Timestamp now);
  std::size_t size();

 private:
  struct Known {
    Principal principal;
    Timestamp looked_up_at;
  };

  std::mutex mutex_;
  std::uint64_t version_ = 0;                     // of all that is known
  std::unordered_map<std::string, Known> known_;  // by the token's digest
};

}  // namespace warifu::operators
