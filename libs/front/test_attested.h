#pragma once

#include "front/test_server.h"
#include "tpm_types/storage_key.h"

namespace warifu::front::test {

inline constexpr std::uint8_t kAk = 0xA1;  // each byte of its Name

// What a verifier keeps of an attestation at `ledger.attested_at`: the AK that is bound to `ek`, and the next revision
// of the ledger, of that same AK unless it names another.
inline Status put_attested(store::Transaction& t, const tpm::EkPublic& ek, verifier::Ledger ledger,
                           std::uint8_t bound_ak = kAk) {
  TRY(const auto before, t.verifier().find_ledger(ledger.scope, ledger.registration_id));
  const std::int64_t from = before ? before->revision : 0;
  TRY_STATUS(t.verifier().put_ak({.scope = ledger.scope,
                                  .registration_id = ledger.registration_id,
                                  .ek_name = to_bytes(ek.name().bytes()),
                                  .ak_name = Bytes(34, bound_ak),
                                  .ak_public = Bytes(90, 0x23),
                                  .bound_at = ledger.attested_at}));
  if (ledger.ak_name.empty()) ledger.ak_name = Bytes(34, bound_ak);
  ledger.revision = from + 1;
  ledger.passes = 1;
  return t.verifier().put_ledger(ledger, from);
}

}  // namespace warifu::front::test
