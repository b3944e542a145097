#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "application_keys/limits.h"
#include "application_keys/records.h"
#include "audit/entry.h"
#include "audit/requester.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "tpm_types/storage_key.h"

namespace warifu::application_keys {

// Whose keys: a TPM under an enrollment or group. What was given under another one, or to another TPM of the same
// group, is not its own.
struct Holder {
  ScopeId scope;
  RegistrationId registration;
  Uuid enrollment_id;
  Bytes ek_name;  // empty: what is enrolled is no TPM, and holds nothing
};
// Of one registration: who stands for it now, and after it who would if that went. Keys of others are nobody's.
using Holders = std::span<const Holder>;

// A version of a key, as a device names it.
struct KeyVersion {
  Label name;
  std::uint32_t version;
  friend bool operator==(const KeyVersion&, const KeyVersion&) = default;
};

// The keys of the TPM that a device has proved: EK and SRK in one registration, and nothing else
// (docs/protocols/dps.md).
struct ProvenTpm {
  const tpm::EkPublic& ek;
  const tpm::SrkPublic& srk;
};

struct Acknowledgement {
  KeyVersion key;
  ByteView nonce;      // the server's
  Timestamp nonce_at;  // when it was made
  ByteView mac;        // HMAC-SHA256 by the key over tpm::acknowledgement_message()
  ByteView srk_name;   // that the device has proved
};

// Decides about the keys of applications (docs/protocols/application-keys.md). It opens no socket and no file. What
// changes something runs inside a transaction and leaves its audit entry, which never has a key in it. Safe to call
// from several threads.
class Desk {
 public:
  // `envelope_key` seals what is stored. Clock and entropy outlive the desk.
  Desk(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key)
      : clock_(clock), entropy_(entropy), envelope_key_(envelope_key.clone()) {}

  // --- For operators

  struct Given {
    Label name;
    std::optional<SecretBytes> key = {};         // absent: one is made
    std::optional<std::uint8_t> capped_by = {};  // a PCR (tpm::may_cap())
  };
  struct Put {
    ApplicationKey record;
    std::optional<SecretBytes> made = {};  // if it was made here: told once, and kept sealed only
  };
  // Another version of the key, for the first of them. kInvalidInput "application-key.size", "application-key.pcr";
  // kRefused "application-key.too-many".
  Result<Put> put(Records& records, audit::Trail& trail, const std::string& actor, Holders holders, Given given) const;
  // The same of a name that it holds, capped as its last version is. kNotFound "application-key.unknown".
  Result<Put> rotate(Records& records, audit::Trail& trail, const std::string& actor, Holders holders,
                     const Label& name, std::optional<SecretBytes> key) const;
  // Ends every version of it, of whatever enrollment. kNotFound "application-key.unknown": none was there ever. One
  // that has ended changes nothing.
  Status revoke(Records& records, audit::Trail& trail, const audit::Requester& who, const RegistrationId& registration,
                const Label& name) const;
  // Ends what none of them holds (without any: everything), at most `limit` versions; how many.
  Result<std::size_t> end_orphans(Records& records, audit::Trail& trail, const ScopeId& scope,
                                  const RegistrationId& registration, Holders holders,
                                  std::size_t limit = kLookedAtMax) const;

  // --- For the device, whose door has found out who it is

  // What it is told: of each name the version that is active, the newest that is pending, and what was revoked and it
  // has not said to have forgotten. By name and version.
  Result<std::vector<ApplicationKey>> told(RecordsView& records, const Holder& holder) const;
  // It has these, and nothing else: what is active and not among them must be delivered anew. Whether something is.
  // A loss of each version is noted in the audit log once in kNotedApart, as acknowledgements and deliveries after one
  // are: whoever has a device's token says so as often as he likes.
  Result<bool> note_held(Records& records, audit::Trail& trail, const Holder& holder,
                         std::span<const KeyVersion> held) const;
  // The same without a change.
  Result<bool> lacks(RecordsView& records, const Holder& holder, std::span<const KeyVersion> held) const;
  // The key for that TPM alone (tpm_types/authentication_key.h). Delivered to the same TPM again it leaves no trace: a
  // device may ask as often as it likes. kNotFound "application-key.unknown"; kRefused
  // "application-key.revoked", "application-key.superseded".
  struct Wrapped {
    ApplicationKey record;
    Bytes authentication_key;
  };
  Result<Wrapped> deliver(Records& records, audit::Trail& trail, const Holder& holder, const KeyVersion& wanted,
                          const ProvenTpm& tpm) const;
  // The same without a change, where it was delivered to that TPM last and is not lost since; nullopt: it was not.
  Result<std::optional<Wrapped>> deliver_again(RecordsView& records, const Holder& holder, const KeyVersion& wanted,
                                               const ProvenTpm& tpm) const;
  // The device's TPM has it: it is active, and what was before it superseded. The same again changes nothing. kRefused
  // "application-key.mac", "application-key.acknowledgement-replayed", and as deliver().
  Result<ApplicationKey> acknowledge(Records& records, audit::Trail& trail, const Holder& holder,
                                     const Acknowledgement& acknowledgement) const;
  // The device has this version of a revoked key no longer, nor one before it. kNotFound "application-key.unknown";
  // kConflict "application-key.not-revoked".
  Result<ApplicationKey> note_forgotten(Records& records, audit::Trail& trail, const Holder& holder,
                                        const KeyVersion& key) const;

 private:
  Result<Wrapped> wrap(RecordsView& records, const Holder& holder, const KeyVersion& wanted,
                       const ProvenTpm& tpm) const;
  Bytes seal(const ApplicationKey& record, const SecretBytes& key) const;
  Result<SecretBytes> open(const ApplicationKey& record) const;
  Status end(Records& records, ApplicationKey& record, State state) const;
  Status prune(Records& records, std::vector<ApplicationKey> versions) const;
  bool is_due(Timestamp noted_at) const;
  Result<bool> supersede(Records& records, const Holder& holder, const ApplicationKey& by) const;
  Result<Put> give(Records& records, audit::Trail& trail, std::string_view action, const std::string& actor,
                   Holders holders, Given given) const;

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
};

// How it stands where these are all that hold keys: what none of them holds has ended.
State standing_of(const ApplicationKey& record, Holders holders);

// SHA-256 over what a device is told: another one when something of it is.
Bytes digest_of(std::span<const ApplicationKey> told);

// "application-key:meter-1/mqtt", as the audit log names it.
std::string subject_of(const RegistrationId& registration, const Label& name);

}  // namespace warifu::application_keys
