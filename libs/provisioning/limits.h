#pragma once

#include <cstddef>

namespace warifu::provisioning {

// Of a scope, for X.509, symmetric keys, and TPMs by authorities for EKs each: a device names no group, so each that
// there is may have to be tried. (Azure DPS has 100 in all.) TPM groups with a list are found by the EK and are not
// counted.
constexpr std::size_t kGroupsPerMechanismMax = 100;

// Authorities of one TPM group. All makers together have some hundred roots, and one may be named for each of them.
constexpr std::size_t kEkAuthoritiesMax = 16;

// TPMs without an EK certificate that wait for an operator, of one group: a software TPM costs nothing, and each is a
// line that somebody must read.
constexpr std::size_t kUncertifiedPendingMax = 100;

}  // namespace warifu::provisioning
