#pragma once

#include <cstddef>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace warifu::provisioning {

// A challenge on its way: whoever signs with its key holds, in one TPM, the EK that was enrolled and the SRK that it
// offered.
struct SealedChallenge {
  Uuid challenge_id;
  Uuid enrollment_id;
  Bytes sealed_key;  // under the envelope key (seal_outstanding_key): other nodes and the disk may hold it
  Bytes ek_name;
  Bytes ek_public;  // TPM2B_PUBLIC
  Bytes srk_name;
  Bytes srk_public;  // TPM2B_PUBLIC
  Timestamp expires_at;
  std::string peer_network = {};  // of who asked, as text; coarse: see Challenges
  bool has_known_keys = false;    // EK and SRK are those that the registration's device proved last
};

// The outstanding challenges of all nodes that serve one database. Losing them costs a device one more request, so
// adding one is never synced to a disk: strangers ask for them. A flood for one registration stays small, and what
// strangers ask for cannot push out the challenge of a device that is known (docs/decisions/0025). Of a registration
// are kept, the newest of each: two for known keys; of others two for each network, and in all as many as one search
// may cost. Safe to call from several threads.
class Challenges {
 public:
  static constexpr std::size_t kOfKnownKeysMax = 2;
  static constexpr std::size_t kOfNetworkMax = 2;
  static constexpr std::size_t kOfOthersMax = 32;
  static constexpr std::size_t kOutstandingMax = 100'000;

  virtual ~Challenges() = default;

  // kThrottled "challenge.too_many" when there are too many of all registrations that still live; else the errors of
  // what holds them.
  virtual Status add(const ScopeId& scope, const RegistrationId& registration, SealedChallenge challenge,
                     Timestamp now) = 0;
  // The live ones of that registration, newest first.
  virtual Result<std::vector<SealedChallenge>> find(const ScopeId& scope, const RegistrationId& registration,
                                                    Timestamp now) = 0;
  // What was consumed, whether it is still there or not. Does not block, and may take effect later: a challenge that
  // opened an operation opens no other.
  virtual void remove(const ScopeId& scope, const RegistrationId& registration, const Uuid& challenge_id) = 0;
  // Drops what has expired.
  virtual void purge(Timestamp now) = 0;
  // How many there are, about.
  virtual std::size_t size() const = 0;
};

}  // namespace warifu::provisioning
