#pragma once

#include "base/error.h"

namespace warifu::front {

// What a device may know of an error: of a state, a hold or the database the code only.
Error told_to_device(Error error);

}  // namespace warifu::front
