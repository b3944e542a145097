#pragma once

#include <cstddef>

namespace warifu::provisioning {

// Of a scope, for X.509 and symmetric keys each: a device names no group, so each that there is may have to be tried.
// (Azure DPS has 100 in all.) TPM groups are found by the EK and are not counted.
constexpr std::size_t kGroupsPerMechanismMax = 100;

}  // namespace warifu::provisioning
