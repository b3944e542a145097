#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/state_files.h"
#include "tcb/application_keys_record.h"
#include "tcb/journal.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// Keys that the server gave for the applications of this device (docs/protocols/application-keys.md): wrapped by the
// TPM, used in it, and never outside. All of it is one record, which is replaced whole: no power cut leaves half of a
// change.
class ApplicationKeys {
 public:
  ApplicationKeys(Tpm& tpm, StateFiles& files, Journal& journal) : tpm_(tpm), files_(files), journal_(journal) {}

  struct Version {
    Label name;
    std::uint32_t version;
  };

  // Has the TPM import it, and keeps it. The same version again changes nothing, if the TPM opens what is there. Those
  // that it no longer opens are dropped with it.
  // It is pending then, in the place of one that is so, and beside the active one, be that older or later. `capped_by`
  // 0: by nothing. kRefused "tcb.application-key.full"; the codes of Tpm::activate().
  Status import(const Version& version, std::uint8_t capped_by, ByteView authentication_key);
  // Its HMAC over the acknowledgement of this nonce. kNotFound "tcb.application-key.none"; kRefused
  // "tcb.application-key.capped".
  Result<SecretBytes> acknowledge(const Version& version, const RegistrationId& registration, ByteView nonce);
  // It is used from now on, and those before it are dropped. kNotFound "tcb.application-key.none".
  Status activate(const Version& version);
  Status forget(const Version& version);
  // After TPM2_Clear.
  Status forget_all();

  struct Mac {
    SecretBytes mac;
    std::uint32_t version;
  };
  // By the latest active version. kNotFound "tcb.application-key.none", "tcb.application-key.pending"; kRefused
  // "tcb.application-key.reserved", "tcb.application-key.capped", kKeyDead.
  Result<Mac> hmac(const Label& name, ByteView data);

  // Extends this PCR, or (0) those by which keys are capped; which. kInvalidInput "tcb.application-key.pcr"; kNotFound
  // "tcb.application-key.nothing-to-cap". An error of the TPM is the first of all, after each was tried.
  enum class UnlessPending : bool { kNo, kYes };
  struct Capped {
    PcrList pcrs;  // that were extended
    PcrList left;  // alone, because a key that it caps waits to be acknowledged; the journal says so
  };
  Result<Capped> cap(std::uint8_t pcr, UnlessPending unless_pending);

  struct Shown {
    ApplicationKeysRecord record;
    bool died = false;  // there are some, and the TPM no longer opens them
  };
  // Asks the TPM whether it opens them, or not: it takes its time.
  Result<Shown> shown(bool probe);

 private:
  using Key = ApplicationKeysRecord::Key;
  Result<ApplicationKeysRecord> record();
  Status keep(const ApplicationKeysRecord& record);
  bool is_left_alone(std::uint8_t pcr, const ApplicationKeysRecord& known);
  Status leave_out_dead(ApplicationKeysRecord& known, const Version& wanted);
  Status leave_out_dead(ApplicationKeysRecord& known);
  Result<SecretBytes> hmac_by(const Key& key, ByteView message);

  Tpm& tpm_;
  StateFiles& files_;
  Journal& journal_;
};

}  // namespace warifu::tcb
