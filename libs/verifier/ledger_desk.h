#pragma once

#include <cstddef>
#include <string_view>

#include "audit/entry.h"
#include "verifier/records.h"
#include "verifier/requester.h"

namespace warifu::verifier {

// What a device's next quote is compared with is forgotten, so that a new ledger begins: after an operator cleared the
// TPM, replaced a vTPM's state, or looked at a clone and found which one is the device. What was kept whole stays.
// kNotFound "attestation.unknown".
Status forget_ledger(Records& records, audit::Trail& trail, const Requester& who, const RegistrationId& id,
                     std::string_view reason);

inline constexpr std::size_t kReasonSizeMax = 500;

Error never_attested(const RegistrationId& id);

}  // namespace warifu::verifier
