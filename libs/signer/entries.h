#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "signer/callers.h"

// What the parts of the service share.
namespace warifu::signer {

// kRefused "signer.denied".
Status require_server(const Caller& caller);
// Of what is noted, in hexadecimal.
std::string sha256_of(ByteView bytes);

}  // namespace warifu::signer
