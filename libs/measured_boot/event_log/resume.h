#pragma once

#include <cstdint>
#include <optional>

#include "measured_boot/event_log/event_log.h"

namespace warifu::measured_boot {

// Windows writes a new log each time it resumes from hibernation, after firmware ran anew; the last one replays to the
// quote. Of the earlier ones of the same machine, firmware's part (what it measured into PCR 0 to 7 before the last of
// their separators) must be the same. The number of the first event of `last` that `earlier` does not have so (the
// number of its events, if `earlier` has more); nullopt: none. kNoRegister's events and EV_NO_ACTION do not count.
std::optional<std::uint32_t> first_firmware_difference(const EventLog& earlier, const EventLog& last,
                                                       crypto::HashAlgorithm bank);

}  // namespace warifu::measured_boot
