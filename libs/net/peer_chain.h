#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"

struct ssl_ctx_st;
struct ssl_st;

namespace warifu::net {

// Makes `context` ask for a client certificate and take any chain, or none. What came is kept as DER with the session,
// so that resumption brings it along; of OpenSSL's own objects only the leaf stays (it verifies CertificateVerify with
// it, and has no way to let go of it). False if OpenSSL refuses.
bool keep_any_peer_chain(ssl_ctx_st* context);

// What the client presented, leaf first, as it was sent; null if it presented nothing. `ssl` has shaken hands.
std::shared_ptr<const std::vector<Bytes>> peer_chain_of(const ssl_st* ssl);

}  // namespace warifu::net
