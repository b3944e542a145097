#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::front {

// What is asked of the certificate that a client showed in its handshake, before its request reaches a route. A session
// that is resumed brings the certificate along: it is asked anew, with each request.
class ShownCertificates {
 public:
  virtual ~ShownCertificates() = default;

  // Refuses the leaf, in DER, if it is one of our own that does not count: kRefused "certificate.revoked",
  // "certificate.held", "certificate.inactive", "certificate.expired"; the last two not where `passes_over_lapsed`.
  // Anybody else's is the route's to judge. Quick, but for one that is refused.
  virtual Status check(ByteView leaf, bool passes_over_lapsed) const = 0;
};

}  // namespace warifu::front
