#pragma once

#include <chrono>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "tcb/server_identity.h"

namespace warifu::tcb {

// Where one caller stands with the server's identity: at most one nonce is outstanding, it serves one check, and what
// was proved is forgotten after a while. Times are those of the system clock: when that jumps, the check is made again.
class ServerCheck {
 public:
  static constexpr std::chrono::minutes kNonceLifetime{2};
  static constexpr std::chrono::minutes kProofLifetime{10};

  void begin(const ServerNonce& nonce, Timestamp now) {
    nonce_ = Stamped{nonce, now};
    proved_.reset();
  }
  // Hands the nonce out and forgets it, and with it the last proof: whoever checks anew is not believed until it
  // passes. kRefused "tcb.nonce" when there is none or it is too old.
  Result<ServerNonce> take_nonce(Timestamp now);
  // Nobody but verify_server() makes a VerifiedServer.
  void pass(const VerifiedServer&, const ServerNonce& nonce, Timestamp now) {
    passed_at_ = now;
    proved_ = Stamped{nonce, now};
  }
  // The nonce of the handshake that passed last, for the client's signature in that handshake, and forgets it: there is
  // one signature for each. kRefused "tcb.nonce" when there is none, or it is too old.
  Result<ServerNonce> take_proved_nonce(Timestamp now);
  bool is_verified(Timestamp now) const;
  // What was proved counts no more, because who is believed has changed.
  void forget() {
    passed_at_.reset();
    proved_.reset();
  }

 private:
  struct Stamped {
    ServerNonce nonce;
    Timestamp since;
  };
  std::optional<Stamped> nonce_;
  std::optional<Stamped> proved_;
  std::optional<Timestamp> passed_at_;
};

}  // namespace warifu::tcb
