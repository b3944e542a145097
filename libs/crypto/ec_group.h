#pragma once

#include <openssl/ec.h>

#include "crypto/ec.h"

namespace warifu::crypto {

// Made once for the life of the process, and only read afterwards. Only .cpp files of this library include this.
const EC_GROUP* group_of(EcCurve curve);

}  // namespace warifu::crypto
