#pragma once

#include "base/error.h"
#include "crypto/cmp_answer.h"

namespace warifu::cmp {

// What a client is told of an error: the failure that fits, and as a text the code, nothing else.
crypto::CmpRejection told(const Error& error);

// True when the same request may succeed later: nothing was decided.
bool is_passing(const Error& error);

}  // namespace warifu::cmp
