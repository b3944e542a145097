#include "tpm_device/care.h"

#include <fmt/format.h>

#include "tpm_device/capability.h"
#include "tpm_device/ek_primary.h"
#include "tpm_device/marshal.h"

namespace warifu::tpm_device {
namespace {

// TPM2_HierarchyChangeAuth takes as much as the longest digest that every TPM has.
constexpr std::size_t kMaxAuth = 32;

bool is_set(std::uint32_t permanent, PermanentAttribute attribute) {
  return (permanent & attribute) != 0;
}

Status check_parameters(const tcb::DictionaryAttackParameters& parameters) {
  if (parameters.max_tries == 0)
    return invalid_input("tpm.dictionary-attack", "expected at least 1 try: with 0 the TPM is always in lockout");
  if (parameters.recovery_seconds == 0) {
    return invalid_input("tpm.dictionary-attack",
                         "expected a recovery time of at least 1 second: with 0 wrong tries are not counted at all");
  }
  return {};
}

Status change_auth(Device& device, ESYS_TR hierarchy, const SecretBytes& auth) {
  Wiped<TPM2B_AUTH> in;
  TRY_STATUS(fill(in.value, &TPM2B_AUTH::buffer, auth.reveal(), "auth value"));
  // Once more it would be authorized by what is no longer right: a wrong lockoutAuth.
  TRY_STATUS(device.run_once(Protect::kSecrets, [&](ESYS_TR session) {
    return device.check(
        Esys_HierarchyChangeAuth(device.esys(), hierarchy, session, ESYS_TR_NONE, ESYS_TR_NONE, &in.value),
        "TPM2_HierarchyChangeAuth");
  }));
  return device.set_auth(hierarchy, auth);
}

Status set_parameters(Device& device, const tcb::DictionaryAttackParameters& parameters) {
  return device.run(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(Esys_DictionaryAttackParameters(device.esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE,
                                                        ESYS_TR_NONE, parameters.max_tries, parameters.recovery_seconds,
                                                        parameters.lockout_recovery_seconds),
                        "TPM2_DictionaryAttackParameters");
  });
}

std::string how_long(std::uint32_t seconds) {
  return seconds == 0 ? std::string("until the machine is restarted") : fmt::format("for {} seconds", seconds);
}

// The TPM's codes do not say that it was lockoutAuth, and what that costs.
Error explain_lockout_auth(Device& device, const Error& error) {
  if (error.code != kNotAuthorized && error.code != "tpm.lockout") return error;
  const auto seconds = read_property(device, kPtLockoutRecovery);
  const std::string duration = seconds ? how_long(*seconds) : "for a while";
  if (error.code == kNotAuthorized) {
    return {ErrorKind::kRefused, "tpm.lockout-auth.wrong",
            fmt::format("this is not the TPM's lockoutAuth; it takes no other, not even the right one, {} "
                        "(lockoutRecovery)",
                        duration),
            error.where};
  }
  return {ErrorKind::kUnavailable, "tpm.lockout",
          fmt::format("lockoutAuth was given wrongly before: the TPM takes none {} from then on (lockoutRecovery), and "
                      "only while it has power",
                      duration),
          error.where};
}

// Calls work() with lockoutAuth in place, and forgets it again.
template <class Work>
Status with_lockout_auth(Device& device, const SecretBytes& lockout_auth, Work work) {
  TRY(const std::uint32_t permanent, read_property(device, kPtPermanent));
  const bool owned = is_set(permanent, kLockoutAuthSet);
  if (owned && lockout_auth.empty()) {
    return Error{ErrorKind::kRefused, "tpm.lockout-auth.missing",
                 "this TPM has a lockoutAuth: give the one from the escrow"};
  }
  if (!owned && !lockout_auth.empty()) {
    return Error{ErrorKind::kConflict, "tpm.unowned", "this TPM has no lockoutAuth (was it cleared?): give none"};
  }
  TRY_STATUS(device.set_auth(ESYS_TR_RH_LOCKOUT, lockout_auth));
  Status done = work();
  TRY_STATUS(device.set_auth(ESYS_TR_RH_LOCKOUT, SecretBytes()));
  if (!done) return explain_lockout_auth(device, done.error());
  return {};
}

Result<bool> has_persistent_ek(Device& device) {
  TRY(const auto handles, read_handles(device, tpm::kEkHandle, tpm::kEkHandle));
  return !handles.empty();
}

// Finding the EK again costs a key generation or more; after TPM2_Clear only templates tell which it was.
Status make_ek_persistent(Device& device) {
  TRY(const tpm::EkPublic ek, device.ek());
  TRY(const Handle primary, create_same_ek(device, ek.name()));
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Status {
    ESYS_TR persistent = ESYS_TR_NONE;
    TRY_STATUS(device.check(Esys_EvictControl(device.esys(), ESYS_TR_RH_OWNER, primary.get(), session, ESYS_TR_NONE,
                                              ESYS_TR_NONE, tpm::kEkHandle, &persistent),
                            "TPM2_EvictControl"));
    const Handle forgotten(device, persistent, Handle::Kind::kStays);
    return {};
  });
}

Status send_clear(Device& device) {
  return device.run_once(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(Esys_Clear(device.esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE, ESYS_TR_NONE),
                        "TPM2_Clear");
  });
}

}  // namespace

Status take_ownership(Device& device, const SecretBytes& lockout_auth,
                      const tcb::DictionaryAttackParameters& parameters) {
  if (lockout_auth.empty() || lockout_auth.size() > kMaxAuth) {
    return invalid_input("tpm.lockout-auth",
                         fmt::format("expected 1 to {} bytes of lockoutAuth, {} came", kMaxAuth, lockout_auth.size()));
  }
  TRY_STATUS(check_parameters(parameters));
  TRY(const std::uint32_t permanent, read_property(device, kPtPermanent));
  if (is_set(permanent, kLockoutAuthSet)) {
    return Error{
        ErrorKind::kConflict, "tpm.owned",
        "this TPM has an owner already: its lockoutAuth is set. Clear it with that, or in the firmware set-up"};
  }
  return with_lockout_auth(device, SecretBytes(), [&]() -> Status {
    TRY_STATUS(set_parameters(device, parameters));
    return change_auth(device, ESYS_TR_RH_LOCKOUT, lockout_auth);
  });
}

Status use_hierarchy_auths(Device& device, const HierarchyAuths& configured) {
  TRY(const std::uint32_t permanent, read_property(device, kPtPermanent));
  const SecretBytes none;
  TRY_STATUS(device.set_auth(ESYS_TR_RH_OWNER, is_set(permanent, kOwnerAuthSet) ? configured.owner : none));
  return device.set_auth(ESYS_TR_RH_ENDORSEMENT,
                         is_set(permanent, kEndorsementAuthSet) ? configured.endorsement : none);
}

Status set_hierarchy_auths(Device& device, const HierarchyAuths& configured) {
  TRY_STATUS(use_hierarchy_auths(device, configured));
  TRY(const std::uint32_t permanent, read_property(device, kPtPermanent));
  if (!configured.endorsement.empty() && !is_set(permanent, kEndorsementAuthSet)) {
    TRY(const bool is_persistent, has_persistent_ek(device));
    if (!is_persistent) TRY_STATUS(make_ek_persistent(device));
    TRY_STATUS(change_auth(device, ESYS_TR_RH_ENDORSEMENT, configured.endorsement));
  }
  if (configured.owner.empty() || is_set(permanent, kOwnerAuthSet)) return {};
  return change_auth(device, ESYS_TR_RH_OWNER, configured.owner);
}

Status clear(Device& device, const SecretBytes& lockout_auth) {
  TRY(const std::uint32_t permanent, read_property(device, kPtPermanent));
  if (is_set(permanent, kDisableClear)) {
    return Error{ErrorKind::kRefused, "tpm.clear-disabled",
                 "TPM2_Clear is disabled (TPMA_PERMANENT.disableClear): clear the TPM in the firmware set-up"};
  }
  TRY(const bool had_persistent_ek, has_persistent_ek(device));
  TRY_STATUS(with_lockout_auth(device, lockout_auth, [&] { return send_clear(device); }));
  TRY_STATUS(device.set_auth(ESYS_TR_RH_OWNER, SecretBytes()));
  TRY_STATUS(device.set_auth(ESYS_TR_RH_ENDORSEMENT, SecretBytes()));
  if (had_persistent_ek) TRY_STATUS(make_ek_persistent(device));
  device.forget();
  return {};
}

Status reset_lockout(Device& device, const SecretBytes& lockout_auth) {
  return with_lockout_auth(device, lockout_auth, [&] {
    return device.run(Protect::kAnswers, [&](ESYS_TR session) {
      return device.check(
          Esys_DictionaryAttackLockReset(device.esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE, ESYS_TR_NONE),
          "TPM2_DictionaryAttackLockReset");
    });
  });
}

Status shut_down(Device& device) {
  // Flushed first: the TPM may take any command after TPM2_Shutdown for a sign that it goes on (Part 1, "Shutdown").
  device.forget();
  TRY_STATUS(device.restart_if_broken());
  return device.check(Esys_Shutdown(device.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_SU_CLEAR),
                      "TPM2_Shutdown");
}

}  // namespace warifu::tpm_device
