#pragma once

#include "base/bytes.h"
#include "tpm_types/object_attributes.h"

namespace warifu::tpm {

// By what an HMAC key that is imported works. It stands in the public area, whose Name the wrap's HMAC covers. As it is
// here: a hub key.
struct HmacUse {
  ObjectAttributes attributes{kSign | kNoDa | kUserWithAuth};
  Bytes policy = {};  // authPolicy, of SHA-256; empty: none
};

}  // namespace warifu::tpm
