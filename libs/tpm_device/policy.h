#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"
#include "tpm_types/policy_digest.h"
#include "tpm_types/verification_key.h"

namespace warifu::tpm_device {

// A policy that an organisation signed: it may be satisfied instead of the one that PolicyAuthorize stands for. So what
// is sealed once opens by tomorrow's PCR values too, when their policy is signed, and no longer by yesterday's only
// when its own assertions say so (an NV counter).
struct ApprovedPolicy {
  tpm::VerificationKey key;
  tpm::PolicyRef reference = {};
  Bytes signature;  // by `key`, over policyDigest | reference (tpm_types/policy_digest.h, approved_policy_hash)
};

// A policy session of SHA-256, salted to the SRK. Each assertion is sent under the HMAC of the other session: who
// changed one on its way would change what is authorized. An assertion that the TPM does not find true is kRefused
// "tpm.policy". The digest after the same assertions is tpm::PolicyDigest's. Flushed when it goes; must not outlive its
// Device.
class PolicySession {
 public:
  static Result<PolicySession> start(Device& device);

  // The PCRs have their present values, and keep them until the policy is used.
  Status pcr(const tcb::PcrList& pcrs);
  // They have these. "tpm.policy" at once when they have not.
  Status pcr(const tpm::PolicyPcrs& selection, const crypto::Digest& digest);
  // The auth value of this hierarchy is known to us.
  Status secret(ESYS_TR hierarchy);
  // What is in the index compares so with the operand.
  Status nv(std::uint32_t index, const tpm::NvOperand& operand);
  Status command_code(std::uint32_t code);
  Status auth_value();
  Status any_of(std::span<const crypto::Digest> branches);
  // The assertions so far are a policy that this key approved. kRefused "tpm.signature", "tpm.policy".
  Status authorize(const ApprovedPolicy& approved);
  // As if just started.
  Status restart();

  Result<crypto::Digest> digest();
  ESYS_TR get() const { return handle_.get(); }

 private:
  PolicySession(Device& device, Handle handle) : device_(&device), handle_(std::move(handle)) {}
  // One TPM2_Policy… command under the session.
  template <class Call>
  Status assert_that(std::string_view command, Call call);

  Device* device_;
  Handle handle_;
};

// HMAC-SHA256 with a loaded key that works by this policy alone. At most 1024 bytes: "tpm.size".
Result<SecretBytes> hmac(Device& device, const Handle& key, const PolicySession& policy, ByteView message);

// A sealed value of keys.h that was made with this policy.
Result<SecretBytes> unseal(Device& device, const tcb::WrappedObject& object, const PolicySession& policy);

}  // namespace warifu::tpm_device
