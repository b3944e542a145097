#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/secret.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"

namespace warifu::tpm_device {

enum class KeyedHashUse : std::uint8_t { kSeal, kHmac };

// A sealed value or an HMAC-SHA256 key under the SRK (Part 3, TPM2_Create): fixedTPM, fixedParent, noDA. With a policy
// it opens by that policy alone, without one by the SRK's session alone. At most 128 bytes: "tpm.size".
Result<tcb::WrappedObject> create_keyed_hash(Device& device, KeyedHashUse use, const SecretBytes& sensitive,
                                             ByteView policy);
// TPM2_Load under the SRK. kRefused "tpm.key.dead" when it belongs to another, like one from before TPM2_Clear; the TPM
// is asked twice for that.
Result<Handle> load(Device& device, const tcb::WrappedObject& object);
// HMAC-SHA256 with a loaded key. At most 1024 bytes: "tpm.size".
Result<SecretBytes> hmac(Device& device, const Handle& key, ByteView message);
Result<SecretBytes> random(Device& device, std::size_t size);

// policyDigest of TPM2_PolicyPCR over the present values, as the TPM computes it (SHA-256).
Result<Bytes> pcr_policy(Device& device, const tcb::PcrList& pcrs);
Result<SecretBytes> unseal(Device& device, const tcb::WrappedObject& object, const tcb::PcrList& pcrs);

}  // namespace warifu::tpm_device
