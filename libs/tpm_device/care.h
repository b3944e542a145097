#pragma once

#include "base/result.h"
#include "base/secret.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"

// Care for the TPM itself: who owns it, and that it does not lock its owner out.
namespace warifu::tpm_device {

Result<tcb::TpmStatus> read_status(Device& device);

// Sets the dictionary-attack parameters and then lockoutAuth, which must be empty. In this order, for the power may
// fail between the two: then lockoutAuth is still empty, and the same call does both again. The other way round nobody
// could set the parameters any more but who has lockoutAuth, which is kept nowhere on the device. kConflict "tpm.owned"
// when lockoutAuth is set. kInvalidInput "tpm.lockout-auth" for an empty one or more than 32 bytes,
// "tpm.dictionary-attack" for parameters with which the TPM would be locked at once or never.
Status take_ownership(Device& device, const SecretBytes& lockout_auth,
                      const tcb::DictionaryAttackParameters& parameters);

// The auth values of the owner and the endorsement hierarchy that a configuration has. Empty: none is wanted.
struct HierarchyAuths {
  SecretBytes owner = {};
  SecretBytes endorsement = {};
};
// Uses for each hierarchy the configured auth value if the TPM has one, and none if it has none: after TPM2_Clear they
// are empty whatever the configuration says.
Status use_hierarchy_auths(Device& device, const HierarchyAuths& configured);
// Sets those that are configured and empty in the TPM. The EK is made persistent before the endorsement hierarchy gets
// an auth value: without one in the TPM it could no longer be found at the next start (Device::load_ek).
Status set_hierarchy_auths(Device& device, const HierarchyAuths& configured);

// What follows needs lockoutAuth. A wrong one costs: the TPM takes no other for lockoutRecovery seconds. So what can be
// known to be wrong is not sent: kRefused "tpm.lockout-auth.missing" when none was given and the TPM has one, kConflict
// "tpm.unowned" when one was given and the TPM has none. kRefused "tpm.lockout-auth.wrong", and afterwards
// kUnavailable "tpm.lockout" for as long as it lasts.

// TPM2_Clear: what the owner made is gone, with its auth values and lockoutAuth. The EK stays the same; if it was
// persistent it is made so again. kRefused "tpm.clear-disabled" when the firmware forbids it.
Status clear(Device& device, const SecretBytes& lockout_auth);
// TPM2_DictionaryAttackLockReset: the counter of wrong tries is zero again.
Status reset_lockout(Device& device, const SecretBytes& lockout_auth);

// The last thing before power is cut: TPM2_Shutdown(CLEAR). Without it a TPM counts a wrong try at its next start if a
// key without noDA was used since the last, for it cannot know what was tried before the power went. The session is
// gone after it; the next command makes a new one.
Status shut_down(Device& device);

}  // namespace warifu::tpm_device
