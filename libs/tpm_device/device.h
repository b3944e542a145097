#pragma once

#include <tss2/tss2_esys.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "base/secret.h"
#include "tpm_device/guard_tcti.h"
#include "tpm_device/handles.h"
#include "tpm_device/return_code.h"
#include "tpm_device/tcti.h"
#include "tpm_types/command_table.h"
#include "tpm_types/name.h"
#include "tpm_types/storage_key.h"
#include "tpm_types/templates.h"

namespace warifu::tpm_device {

struct DeviceOptions {
  tpm::EkProfile ek_profile = tpm::EkProfile::kL1;  // of the EK that is made when none is persistent
  std::optional<tpm::Name> ek_name = {};            // the pin: every session is salted to this key or not made
  SecretBytes owner_auth = {};
  SecretBytes endorsement_auth = {};
  // Only the test of the bus hands in another.
  tpm::CommandTable table = tpm::CommandTable::production();
};

// What the session does for the commands of one run().
enum class Protect : std::uint8_t {
  kSecrets,  // encrypts the first parameter both ways, where it is a TPM2B, and authenticates
  kAnswers,  // audits: for commands without authorization whose first parameters cannot be encrypted
};

// The TPM as one process uses it: ESYS over the guard, and one salted HMAC session to the EK that is kept open. Not for
// several threads at once.
//
// A command is run so:
//   device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<Bytes> {
//     TRY_STATUS(device.check(Esys_ReadClock(device.esys(), session, …), "TPM2_ReadClock"));
class Device {
 public:
  static Result<std::unique_ptr<Device>> open(const TctiAddress& address, DeviceOptions options);
  // Over a connection that is there already.
  static Result<std::unique_ptr<Device>> open(TctiPtr tcti, DeviceOptions options);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  ESYS_CONTEXT* esys() { return esys_; }
  // What a call of ESYS returned, as an error that says what it means. Every rc goes through here, because after some
  // of them ESYS has to be started anew, which the next run() does.
  Status check(TSS2_RC rc, std::string_view command);

  // Calls work(session) with the open session, protecting like this; makes the session first when there is none. When
  // the TPM has lost it (TPM reset, a forged error before), once more with a fresh one that is salted like the first:
  // never in clear. `work` returns a Result and does not call run() itself.
  template <class Work>
  std::invoke_result_t<Work, ESYS_TR> run(Protect protect, Work work) {
    for (bool again = false;; again = true) {
      TRY(const ESYS_TR session, this->session(protect));
      const bool in_doubt = std::exchange(in_doubt_, false);
      auto result = work(session);
      if (result || again || !prepare_retry(result.error(), in_doubt)) return result;
    }
  }

  // The same for what must not be done twice. That the session is lost nobody signs: who lets the command pass and
  // forges that answer would have an index counted, or a PCR extended, once more than the caller is told.
  template <class Work>
  std::invoke_result_t<Work, ESYS_TR> run_once(Protect protect, Work work) {
    if (in_doubt_) forget_session();
    TRY(const ESYS_TR session, this->session(protect));
    auto result = work(session);
    if (!result) prepare_retry(result.error(), false);
    return result;
  }

  // A policy session, salted to this key, and to be used beside the session of run(). Flushed when it goes.
  Result<Handle> start_policy(ESYS_TR salt_key, crypto::HashAlgorithm hash);

  // The EK in the TPM: persistent at 0x81010001 or made from the template; if neither is the pinned one, or that of the
  // last time, made from whichever template gives it. kRefused "tpm.ek.swapped" when none does.
  Result<Handle> load_ek();
  // Known after the first session.
  Result<tpm::EkPublic> ek();

  // The SRK at 0x81000001, made from the template of dps.md (d) and persisted there when there is none. kRefused
  // "tpm.srk.foreign" when what is there is no parent of this TPM's own making.
  Result<ESYS_TR> srk();
  Result<tpm::SrkPublic> srk_public();

  // Starts ESYS anew when that is due. For a command outside of run(), which does it by itself.
  Status restart_if_broken();

  // Looks anew for the SRK, in a new session: somebody else may have cleared the TPM.
  void forget();
  // The next run() starts ESYS anew, with empty slots in the TPM.
  void start_anew() { broken_ = true; }
  // Drops the session only.
  void forget_session() { session_.reset(); }

  // With the next command, and whenever a session is made (the one before may have ended with a reset of the TPM),
  // before anything else is done: a PCR that reads zero is extended with this. Whoever has the TPM alone reset shall
  // not use what was capped in this boot.
  void keep_extended(std::uint8_t pcr, const crypto::Digest& digest);
  // The same, once, in the session that there is.
  void look_at_kept_extended() { must_look_at_kept_ = !kept_extended_.empty(); }

  // The auth value with which `hierarchy` (ESYS_TR_RH_OWNER, _ENDORSEMENT, _LOCKOUT) is authorized from now on. It goes
  // into HMACs and never onto the bus. The TPM is not asked.
  Status set_auth(ESYS_TR hierarchy, const SecretBytes& auth);

  // TPM2B_PUBLIC of an object as ESYS has it: that is the one to which it salts and in which it trusts.
  Result<Bytes> public_area(ESYS_TR object);

  bool protects() const { return options_.table.protects(); }
  // Counts the ESYS contexts: numbers of one mean nothing to the next.
  std::uint64_t epoch() const { return epoch_; }

 private:
  Device(TctiPtr tcti, DeviceOptions options);
  Status start();
  void stop();
  bool prepare_retry(const Error& error, bool in_doubt);
  Status make_ready();
  Status extend_what_is_zero();

  Result<ESYS_TR> session(Protect protect);
  Status start_session();
  Result<Handle> start_auth_session(ESYS_TR salt_key, TPM2_SE type, crypto::HashAlgorithm hash);
  std::optional<tpm::Name> expected_ek() const;
  Result<Handle> make_ek(tpm::EkProfile profile);
  Result<Handle> find_pinned_ek(const tpm::Name& name, Error swapped);
  Result<std::optional<Handle>> find_persistent(TPM2_HANDLE handle);
  Status expect_authentic(ESYS_TR object);
  Status expect_own_parent(ESYS_TR object);
  Result<Handle> create_primary(ESYS_TR hierarchy, ByteView tpm2b_template, ESYS_TR session);
  Status expect_ek(ESYS_TR ek);
  Status make_srk();

  DeviceOptions options_;
  GuardTcti guard_;
  ESYS_CONTEXT* esys_ = nullptr;
  std::uint64_t epoch_ = 0;
  bool broken_ = false;
  // The last answer was an error, which nobody signs: if it was forged, the TPM has drawn its next nonce and we have
  // not, and it refuses whatever comes in this session from now on.
  bool in_doubt_ = false;
  SecretBytes lockout_auth_;
  std::map<std::uint8_t, crypto::Digest> kept_extended_;
  bool must_look_at_kept_ = false;
  std::optional<Handle> session_;
  std::optional<Handle> srk_;
  std::optional<tpm::EkPublic> ek_;
};

}  // namespace warifu::tpm_device
