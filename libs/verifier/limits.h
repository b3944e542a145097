#pragma once

#include <chrono>
#include <cstddef>

namespace warifu::verifier {

// How long an answer to a credential is waited for: a slow TPM takes seconds.
inline constexpr std::chrono::minutes kSessionLifetime{5};
inline constexpr std::chrono::hours kTokenLifetime{24};
inline constexpr std::chrono::minutes kNonceLifetime{2};
// How far the clocks of two nodes may be apart.
inline constexpr std::chrono::seconds kClockSkewMax{10};
// When a device is asked to come again; an organisation may want another interval.
inline constexpr std::chrono::seconds kInterval{60};
inline constexpr std::chrono::seconds kIntervalMin{10};
inline constexpr std::chrono::seconds kIntervalMax{86'400};
// How long after it should have come a device is missed.
constexpr std::chrono::seconds silence_grace(std::chrono::seconds interval) {
  return 2 * interval;
}

// Of one request. An IMA list of a busy machine has some ten megabytes, and base64 takes a third more.
inline constexpr std::size_t kEvidenceSizeMax = 24 * 1024 * 1024;
inline constexpr std::size_t kRequestSizeMax = 64 * 1024;
inline constexpr std::size_t kBootIdSizeMax = 64;
// Of one device; the oldest goes.
inline constexpr std::size_t kEvidenceKeptMax = 32;

}  // namespace warifu::verifier
