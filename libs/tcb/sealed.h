#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// What an application keeps of a secret that only this TPM opens (docs/formats/sealed.md). The PCR numbers in it are a
// hint: the TPM checks them by the policy in the public area.
struct SealedSecret {
  WrappedObject object;
  PcrList pcrs;
};

Bytes write_sealed(const SealedSecret& sealed);
// "tcb.sealed.form" and the codes of wire::Reader.
Result<SealedSecret> parse_sealed(ByteView bytes);

// Ascending, each 0 to 23. "tcb.pcrs".
Status check_pcrs(const PcrList& pcrs);

}  // namespace warifu::tcb
