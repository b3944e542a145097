#pragma once

#include <chrono>
#include <cstddef>

namespace warifu::application_keys {

// Names of one registration, ended ones too: the version of a name never begins anew, so one that was there is kept.
inline constexpr std::size_t kNamesMax = 32;
// Versions of one name that are kept; the one that the device uses is kept whatever it is.
inline constexpr std::size_t kVersionsKept = 8;
// Of one registration, in one look.
inline constexpr std::size_t kLookedAtMax = kNamesMax * (kVersionsKept + 2);
// Between two audit entries of one kind about what a device does with a version again and again.
inline constexpr std::chrono::hours kNotedApart{1};
// What is made where the operator brings none: as long as the digest.
inline constexpr std::size_t kGeneratedSize = 32;

}  // namespace warifu::application_keys
