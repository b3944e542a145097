#pragma once

#include <chrono>
#include <cstddef>

#include "pki/authority.h"
#include "pki/device_certificate.h"

namespace warifu::device_ca {

// X.520, ub-common-name: the registration ID stands in the certificate.
inline constexpr std::size_t kCommonNameSizeMax = 64;
// Of one registration; the oldest goes.
inline constexpr std::size_t kKeysKeptMax = 8;
// Of one registration in kIssuingWindow: whoever loses its key each time is broken, or no device.
inline constexpr std::size_t kIssuedMax = 20;
inline constexpr std::chrono::hours kIssuingWindow{24};
// The signer takes an order again for so long (signer/rules.cpp); after that it is given up, and another one made.
inline constexpr std::chrono::hours kOrderLifetime{20};
// How long an LDevID lives, unless the operator says otherwise.
inline constexpr std::chrono::days kLdevidLifetime{30};
// As long as he may say: that it begins a little before it is issued is part of its life.
inline constexpr auto kLdevidLifetimeMax =
    std::chrono::floor<std::chrono::hours>(pki::kLdevidLifetimeMax - pki::kBackdate);
// How long a one-time secret waits.
inline constexpr std::chrono::hours kSecretLifetime{24};
inline constexpr std::size_t kSecretSize = 24;
inline constexpr std::size_t kReferenceSize = 9;
// How long the confirmation of a certificate is waited for, where one is (CMP's certConf), if nobody took it back
// before.
inline constexpr std::chrono::minutes kConfirmWait{15};
// Of expired secrets, in one change.
inline constexpr std::size_t kPurgeMax = 1'000;
// Of the certificates of one registration or key, that are looked at.
inline constexpr std::size_t kLookedAtMax = 64;

}  // namespace warifu::device_ca
