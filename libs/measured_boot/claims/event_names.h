#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "measured_boot/claims/claims.h"

namespace warifu::measured_boot {

// What the events of what was started measured, in words for people, by the number of the event: "the kernel's command
// line (.cmdline)". An event that is of no claim has no name. Where a claim has only the log's own word for a name,
// that is it; all are printable ASCII of at most kEventNameMax characters.
std::map<std::uint32_t, std::string> event_names(const Claims& claims);

inline constexpr std::size_t kEventNameMax = 160;

}  // namespace warifu::measured_boot
