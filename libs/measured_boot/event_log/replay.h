#pragma once

#include "measured_boot/event_log/event_log.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot {

// The value that a register has before the first event extends it: zeros; the startup locality in PCR 0 (PFP 1.06,
// "StartupLocality Event"); ones in PCR 17 to 22 (PC Client Platform TPM Profile, "PCR Attributes"), unless a dynamic
// launch reset them to zeros.
crypto::Digest initial_value(const EventLog& log, crypto::HashAlgorithm bank, RegisterIndex index);

// What the registers must hold if the log tells everything: for each bank that we can compute (empty if nothing extends
// it), each register that an event extends. A TPM extends what the log says, so this proves nothing before it is
// compared with a quote.
RegisterValues replay(const EventLog& log);
// Of one bank alone; no registers if the log does not have it.
Bank replay(const EventLog& log, crypto::HashAlgorithm bank);

}  // namespace warifu::measured_boot
