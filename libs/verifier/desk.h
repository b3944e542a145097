#pragma once

#include "audit/entry.h"
#include "verifier/ak_credential.h"
#include "verifier/appraiser.h"
#include "verifier/limits.h"
#include "verifier/nonce.h"
#include "verifier/package_cache.h"
#include "verifier/policy_cache.h"
#include "verifier/records.h"

namespace warifu::verifier {

// What a device is told before it quotes.
struct NonceAnswer {
  Bytes nonce;
  Timestamp expires_at;
  std::vector<attestation::RegisterPlace> registers;
  Bytes known_event_log;  // SHA-256; empty: none
  ImaProgress ima;
};

// Evidence that was judged and is not stored yet.
struct Judged {
  Submission submission;
  Appraised appraised;
  std::int64_t from = 0;  // the revision of the ledger that it was compared with
};

// Keeps AKs and ledgers (docs/protocols/attestation.md). It decides; it opens no socket and no file. What reads works
// on a snapshot and may take its time; what writes is short. Safe to call from several threads.
class Desk {
 public:
  // `interval`: after which a device is due again that has none of its own.
  Desk(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key, std::chrono::seconds interval = kInterval)
      : clock_(clock),
        interval_(interval),
        credentials_(clock, entropy, envelope_key),
        nonces_(clock, entropy, envelope_key),
        key_nonces_(clock, entropy, envelope_key, Nonces::Purpose::kKeyProof),
        application_key_nonces_(clock, entropy, envelope_key, Nonces::Purpose::kApplicationKey) {}

  const AkCredentials& credentials() const { return credentials_; }
  // Over which a device's TPM proves that it has a key (attestation/quote/key_proof.h).
  const Nonces& key_nonces() const { return key_nonces_; }
  // Over which it proves that it has a key for its applications (tpm_types/application_key.h).
  const Nonces& application_key_nonces() const { return application_key_nonces_; }

  // Whether it is another AK than was there; that is an entry of the audit log.
  Result<bool> bind(Records& records, audit::Trail& trail, const BoundAk& ak) const;

  // The AK for which a token was given, if it is the bound one still: kUnauthenticated "attestation.ak-unknown".
  Result<BoundAk> find_ak(RecordsView& records, const DeviceKey& device, ByteView ak_name) const;
  // `group`: the one that the device came under.
  Result<NonceAnswer> nonce(RecordsView& records, const BoundAk& ak, const std::optional<GroupId>& group,
                            std::string_view boot_id) const;
  // `interval`: the device's own. Errors as nonces.check() and appraise().
  Result<Judged> judge(RecordsView& records, const BoundAk& ak, const std::optional<GroupId>& group,
                       const std::optional<std::chrono::seconds>& interval, EkStanding ek, Submission submission) const;
  // kConflict "attestation.raced": the ledger is another than it was compared with. An entry of the audit log only
  // where something is news.
  Status keep(Records& records, audit::Trail& trail, const Judged& judged) const;

 private:
  const Clock& clock_;
  const std::chrono::seconds interval_;
  const AkCredentials credentials_;
  const Nonces nonces_;
  const Nonces key_nonces_;
  const Nonces application_key_nonces_;
  mutable PolicyCache policies_;
  mutable PackageCache packages_;
};

}  // namespace warifu::verifier
