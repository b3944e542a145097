#pragma once

#include <string_view>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace warifu::tcb {

// What a CertificateVerify signs (RFC 8446 §4.4.3): 64 spaces, `context`, which says whose signature it is, a zero
// byte, and the hash of the transcript.
Bytes handshake_content(std::string_view context, const crypto::Digest& transcript);

}  // namespace warifu::tcb
