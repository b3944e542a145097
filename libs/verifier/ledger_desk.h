#pragma once

#include <cstddef>
#include <string>

#include "audit/entry.h"
#include "audit/requester.h"
#include "verifier/records.h"

namespace warifu::verifier {

struct Forgetting {
  RegistrationId registration;
  std::string reason;
  Timestamp now;
};

// What a device's next quote is compared with is forgotten, so that a new ledger begins: after an operator cleared the
// TPM, replaced a vTPM's state, or looked at a clone and found which one is the device. What was kept whole stays. The
// AK counts as bound `now`, so that no nonce from before is taken again. kNotFound "attestation.unknown".
Status forget_ledger(Records& records, audit::Trail& trail, const audit::Requester& who, const Forgetting& what);

inline constexpr std::size_t kReasonSizeMax = 500;

Error never_attested(const RegistrationId& id);

}  // namespace warifu::verifier
