#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "base/result.h"
#include "crypto/digest.h"
#include "tpm_device/device.h"
#include "tpm_types/verification_key.h"

namespace warifu::tpm_device {

// The TPM's word that this key signed this digest (Part 3, TPM2_VerifySignature): a ticket, which TPM2_PolicyAuthorize
// takes. `signature` as in VerificationKey::tpmt_signature(). kRefused "tpm.signature" when it is not its signature.
Result<TPMT_TK_VERIFIED> verify_signature(Device& device, const tpm::VerificationKey& key, const crypto::Digest& digest,
                                          ByteView signature);

}  // namespace warifu::tpm_device
