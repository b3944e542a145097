#pragma once

#include <chrono>
#include <cstddef>

namespace warifu::webhooks {

// Of a scope: each of them is read whenever something happens.
inline constexpr std::size_t kWebhooksMax = 16;
inline constexpr std::size_t kUrlSizeMax = 2048;
inline constexpr std::size_t kCaSizeMax = 32 * 1024;

// Standard Webhooks asks for 24 to 64.
inline constexpr std::size_t kSecretSize = 32;
// How long the secret before a rotation signs too.
inline constexpr std::chrono::hours kPreviousSecretLifetime{24};

// Of one request, from its name's resolution to the end of its answer.
inline constexpr std::chrono::seconds kRequestTimeout{10};
// More of an answer is not read; none of it is used.
inline constexpr std::size_t kReplySizeMax = 64 * 1024;
// Longer than a request and what the clocks of two nodes may be apart.
inline constexpr std::chrono::seconds kLeaseLifetime{30};

inline constexpr std::chrono::seconds kBackoffMin{1};
inline constexpr std::chrono::seconds kBackoffMax{3600};
// After so long without a success operators are told that it fails. It is tried on.
inline constexpr std::chrono::hours kGivenUpAfter{3 * 24};
// What waits longer, and what is beyond so many, is dropped, the oldest first.
inline constexpr std::chrono::hours kKeptFor{7 * 24};
inline constexpr std::size_t kKeptMax = 10'000;
// In one transaction, and in one round of housekeeping for one webhook: writers must not wait for long.
inline constexpr std::size_t kDroppedAtOnceMax = 1'000;
inline constexpr std::size_t kDropRoundsMax = 100;
// An alert that nobody has acknowledged is told again when it was quiet for so long.
inline constexpr std::chrono::minutes kAlertQuiet{2};

}  // namespace warifu::webhooks
