#pragma once

#include <chrono>
#include <optional>

#include "agent/attestation.h"
#include "agent/bundle_follower.h"
#include "agent/outside.h"
#include "agent/registration.h"

namespace warifu::agent {

enum class Registering {
  kAlways,
  kIfNeeded,  // the TCB holds no assignment, or one whose key the TPM no longer opens
};

// One contact with the server, from the connection to its end: the server is judged, the TPM owned, the device
// registered, its escrow delivered, the result kept.
class Contact {
 public:
  // Without an attestor the device does not attest while the server waits for that.
  explicit Contact(Outside& outside, Attestor* attestor = nullptr) : outside_(outside), attestor_(attestor) {}

  // What the device is now.
  Result<Registration> make(Registering registering);

  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  Result<Registration> make_on_connection(Registering registering);
  Result<Registration> registered(Registering registering, const tcb_protocol::Identity::Answer& device);

  Outside& outside_;
  BundleFollower follower_{outside_};
  Attestor* const attestor_;
  Timestamp proved_at_;
  std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace warifu::agent
