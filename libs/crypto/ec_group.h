#pragma once

#include <openssl/ec.h>

#include "base/result.h"
#include "crypto/ec.h"

namespace warifu::crypto {

// Made once for the life of the process, and only read afterwards. Only .cpp files of this library include this.
const EC_GROUP* group_of(EcCurve curve);

// "crypto.ec.point": too long, or no point of the curve.
Error coordinates_too_long(std::size_t size, ByteView x, ByteView y);
Error not_a_point();

}  // namespace warifu::crypto
