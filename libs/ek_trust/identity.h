#pragma once

#include "base/bytes.h"
#include "ek_trust/records.h"
#include "endorsement/ek/x509.h"

// What authorities, names and keys are found by.
namespace warifu::ek_trust {

// The order of digests in maps and sets: byte by byte.
struct BytesLess {
  bool operator()(const Bytes& a, const Bytes& b) const { return as_text(a) < as_text(b); }
};

Bytes sha256_of(ByteView bytes);
Bytes name_digest(const endorsement::Name& name);
// The same for every certificate of one key, however it is announced.
Bytes key_digest(const endorsement::X509Certificate& certificate);

// The certificate of an authority that is stored; "store.corrupt" when it does not parse any more.
Result<endorsement::X509Certificate> certificate_of(const Authority& authority);

}  // namespace warifu::ek_trust
