#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "cmp/server.h"
#include "front/cmp/cmp_issuer.h"
#include "front/http/route.h"

namespace warifu::front::cmp_door {

// CMP over HTTP (RFC 6712, RFC 9483 §6.1; docs/protocols/cmp.md). Its messages protect themselves, so that it may be
// served without TLS. The objects that it is given outlive it.
class CmpApi {
 public:
  CmpApi(CmpIssuer& issuer, device_ca::Issuer& signer, const Clock& clock, const MonotonicClock& monotonic,
         Entropy& entropy);

  std::vector<Route> routes();

  // Takes back what clients rejected, and gets another credential to answer with before the one that it has ends, or
  // when the issuer is another one. May block: for a thread that may.
  Status look_after();

 private:
  std::shared_ptr<cmp::Server> server() const;
  Status renew();
  void use(cmp::Credential credential);

  CmpIssuer& issuer_;
  device_ca::Issuer& signer_;
  const Clock& clock_;
  const MonotonicClock& monotonic_;
  Entropy& entropy_;
  mutable std::mutex mutex_;
  std::shared_ptr<cmp::Server> server_;  // null until there is a credential
  std::mutex looking_;                   // of look_after(), and of what follows
  // Of the credential: its issuer in DER, and while it is in force.
  Bytes made_by_;
  Timestamp not_before_ = Timestamp::min();
  Timestamp renew_at_ = Timestamp::min();
  std::chrono::nanoseconds try_again_at_ = std::chrono::nanoseconds::min();
};

}  // namespace warifu::front::cmp_door
