#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace warifu::front::revocation {

// What a certificate says of itself, as far as somebody must know it who sees one with each request: read in place,
// without OpenSSL, which takes a hundred times as long. Nothing of it is verified.
struct Glance {
  ByteView serial;   // big-endian, without a sign
  ByteView issuer;   // the whole Name in DER
  ByteView subject;  // the same
  Timestamp not_after;

  // RFC 5280 §4.1, the part that is read. The codes of wire::DerReader and endorsement::parse_time().
  static Result<Glance> of(ByteView certificate);
};

}  // namespace warifu::front::revocation
