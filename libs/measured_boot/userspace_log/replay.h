#pragma once

#include "measured_boot/registers.h"
#include "measured_boot/userspace_log/userspace_log.h"

namespace warifu::measured_boot {

// What the registers hold after the log, in each bank that it has: those of `before` (the replayed log of firmware),
// extended. A register that `before` does not hold begins as at start-up: zeros, or ones in PCR 17 to 22.
// A record without a digest in a bank leaves that bank as it is, so that it will not equal a quote.
RegisterValues replay(const UserspaceLog& log, const RegisterValues& before);
// Of one bank alone.
Bank replay(const UserspaceLog& log, const Bank& before);

}  // namespace warifu::measured_boot
