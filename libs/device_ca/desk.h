#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "audit/entry.h"
#include "audit/requester.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "device_ca/limits.h"
#include "device_ca/records.h"

namespace warifu::device_ca {

struct DeskOptions {
  std::chrono::seconds ldevid_lifetime = kLdevidLifetime;
  pki::RevocationPlaces places = {};
};

// What a TPM proved just now (attestation/quote/key_proof.h).
struct KeyProven {
  ScopeId scope;
  RegistrationId registration;
  Ground ground;
  pki::DeviceIdentity identity = pki::DeviceIdentity::kLdevid;
  Bytes public_key;  // SubjectPublicKeyInfo
  Bytes ek_name;
  Bytes ak_name;
  Timestamp nonce_at;
};

// Who asks for a certificate, whom the door has found out: the device is enrolled, may() has a certificate, and attests
// to what is demanded.
struct Application {
  ScopeId scope;
  RegistrationId registration;
  Ground ground;
  pki::DeviceIdentity identity = pki::DeviceIdentity::kLdevid;
  Door door = Door::kNative;
  Bytes public_key;  // SubjectPublicKeyInfo, in the one encoding of crypto::PublicKey::spki()
  // Of the TPM that is bound to the registration now; empty: none is.
  Bytes ek_name = {};
  bool allows_software_keys = false;  // the terms of the enrollment
  bool has_attested = false;          // its attestation is good, just now: what is issued to it is active
  bool must_confirm = false;          // whoever asked says that he has it, or it is taken back
  Bytes hardware_serial = {};         // of an IDevID
  // The certificate of who signs now, in DER: what another one signed is not given again. Empty: whoever signed.
  Bytes issuer = {};
  // The certificate that he showed, and whose key he has.
  std::optional<crypto::SerialNumber> renewed = {};
};

// Whether the statement under which a registration was given something stands still: what it had under one that is gone
// is nobody's. Without one all stand.
using GroundStands = std::function<Result<bool>(const RegistrationId&, const Ground&)>;

// Something that an operator should look at (provisioning::Alert).
struct Concern {
  std::string_view kind;  // "certificate.late", "certificate.key-twice"
  RegistrationId registration;
  std::string subject;
  std::string detail;
  Timestamp at;
};

struct Ordered {
  DeviceCertificate certificate;
  bool needs_signature = false;  // otherwise it was issued before, to the same key
  std::optional<Concern> concern = {};
};

// Which registration has a key, and under what.
struct KeyOwner {
  RegistrationId registration;
  Ground ground;
};

// Somebody asks for a certificate for a key that another device has.
struct KeyTwice {
  Concern concern;
  Error refusal;
};

// Decides about certificates of devices. It opens no socket and no file, and holds no key: what it orders is signed by
// warifu-signer. What changes something runs inside a transaction and leaves its audit entry. Safe to call from several
// threads.
class Desk {
 public:
  // `envelope_key` seals one-time secrets. Clock and entropy outlive the desk.
  Desk(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key, DeskOptions options = {});

  const DeskOptions& options() const { return options_; }

  // --- Keys (desk_keys.cpp)

  // Keeps what was proved. kRefused "certificate.proof-replayed": a proof with this nonce, or a later one, was there;
  // "certificate.key-elsewhere": it is another registration's key.
  Status keep_proof(Records& records, audit::Trail& trail, const KeyProven& proven,
                    const GroundStands& stands = {}) const;
  // Whether this key is another registration's. To be asked before order(), which refuses it too: then the change can
  // be committed that tells of it.
  Result<std::optional<KeyTwice>> find_key_twice(RecordsView& records, const Application& application,
                                                 const GroundStands& stands = {}) const;

  // --- Issuing (desk_issuing.cpp)

  // Orders a certificate, or finds the one that this key has. kRefused "certificate.key-unproven" (nobody proved that
  // the key is in a TPM, and the enrollment allows no other), "certificate.key-elsewhere" (it is the key of another
  // registration or of another TPM), "certificate.key-compromised", "certificate.held", "certificate.kind" (it was
  // proved for the other kind of identity), "certificate.name-size"; kThrottled "certificate.too-many".
  Result<Ordered> order(Records& records, audit::Trail& trail, const Application& application,
                        const GroundStands& stands = {}) const;
  // Keeps what the signer made of an order, and tells the certificate as it stands now: of two who asked at once, the
  // first one's. Those before the last one are revoked as superseded. kInvalidInput "certificate.signed" when it is not
  // what was ordered; kConflict "certificate.order-gone"; kRefused "certificate.held": the order waits.
  Result<DeviceCertificate> keep(Records& records, audit::Trail& trail, const DeviceCertificate& order,
                                 const crypto::Certificate& signed_certificate, const Application& application) const;
  // Whoever asked for it has it. kRefused "certificate.revoked": it was taken back.
  Status confirm(Records& records, audit::Trail& trail, const ScopeId& scope, const crypto::SerialNumber& serial) const;
  // He has not, or does not want it. One that is suspended stays so.
  Status withdraw(Records& records, audit::Trail& trail, const ScopeId& scope, const crypto::SerialNumber& serial,
                  std::string_view why) const;
  // The same of all that were not confirmed in time; how many.
  Result<std::size_t> withdraw_unconfirmed(Records& records, audit::Trail& trail, const ScopeId& scope) const;

  // What waits for nothing any more: certificates that nobody confirmed, secrets that have expired.
  Status clean_up(Records& records, audit::Trail& trail, const ScopeId& scope) const;

  // When it should be renewed: from half of its life on, at a moment of its own, so that a fleet that was provisioned
  // in one night does not come back in one.
  Timestamp renew_after(const DeviceCertificate& certificate) const;

  // --- How they live and end (desk_standing.cpp)

  // The certificate that somebody showed and whose key he has, if it is one of ours that counts now. kUnauthenticated
  // "certificate.unknown"; kRefused "certificate.inactive", "certificate.held", "certificate.revoked",
  // "certificate.expired".
  Result<DeviceCertificate> authenticate(RecordsView& records, ByteView der) const;
  // The same without a look at its standing: it is one of ours.
  Result<DeviceCertificate> recognise(RecordsView& records, ByteView der) const;
  Status check_standing(const DeviceCertificate& certificate) const;

  // By an operator. kNotFound "certificate.unknown"; kConflict "certificate.state"; of a revocation kInvalidInput
  // "certificate.reason". One because of a compromise is one of the key: all that it has is revoked, and it gets no
  // other.
  Status activate(Records& records, audit::Trail& trail, const audit::Requester& who,
                  const crypto::SerialNumber& serial) const;
  Status suspend(Records& records, audit::Trail& trail, const audit::Requester& who,
                 const crypto::SerialNumber& serial) const;
  Status resume(Records& records, audit::Trail& trail, const audit::Requester& who,
                const crypto::SerialNumber& serial) const;
  Status revoke(Records& records, audit::Trail& trail, const audit::Requester& who, const crypto::SerialNumber& serial,
                crypto::RevocationReason reason) const;
  // A device attested to what is demanded: what was issued to keys of its TPM is active. How many became so.
  Result<std::size_t> activate_attested(Records& records, audit::Trail& trail, const ScopeId& scope,
                                        const RegistrationId& registration, ByteView ek_name) const;

  // --- One-time secrets (desk_secrets.cpp)

  struct IssuedSecret {
    std::string reference;
    SecretBytes secret;  // as text
    Timestamp expires_at;
  };
  Result<IssuedSecret> issue_secret(Records& records, audit::Trail& trail, const audit::Requester& who,
                                    const RegistrationId& registration, const Ground& ground) const;
  struct FoundSecret {
    DeviceSecret record;
    SecretBytes secret;
  };
  // What belongs to a reference, if it may be used for this, or was used for nothing that does not begin so.
  // kUnauthenticated "certificate.secret": there is none, it has expired, or was used for something else; the
  // operator's detail says which. Who spent it may come again for kConfirmWait after its end.
  Result<FoundSecret> find_secret(RecordsView& records, std::string_view reference, std::string_view spent_for) const;
  // The same, where the secret itself is shown.
  Result<FoundSecret> check_secret(RecordsView& records, std::string_view reference, ByteView shown,
                                   std::string_view spent_for) const;
  // From now on it is for this alone. The same errors, also where it was given under what stands no more.
  Status spend(Records& records, audit::Trail& trail, std::string_view reference, std::string_view spent_for,
               const GroundStands& stands = {}) const;

 private:
  Status set_state(Records& records, DeviceCertificate certificate, State state,
                   std::optional<crypto::RevocationReason> reason = {}) const;
  Result<std::optional<ProvenDeviceKey>> find_proven_key(RecordsView& records, const Application& application,
                                                         ByteView key_sha256) const;
  Result<std::optional<KeyOwner>> find_other_owner(RecordsView& records, const Application& application,
                                                   ByteView key_sha256, const GroundStands& stands) const;
  Result<std::optional<DeviceCertificate>> find_same(Records& records, const Application& application,
                                                     ByteView key_sha256) const;
  Result<Ordered> give_again(Records& records, audit::Trail& trail, const Application& application,
                             DeviceCertificate same) const;
  Status check_not_held(RecordsView& records, const ScopeId& scope, const RegistrationId& registration) const;
  Result<bool> goes_on(RecordsView& records, const Application& application, const DeviceCertificate& fresh) const;
  Status take_as_confirmed(Records& records, audit::Trail& trail, DeviceCertificate& certificate) const;
  Status supersede(Records& records, audit::Trail& trail, const DeviceCertificate& fresh) const;
  Status revoke_others_of_key(Records& records, audit::Trail& trail, const audit::Requester& who,
                              const DeviceCertificate& certificate) const;
  Status change(Records& records, audit::Trail& trail, const audit::Requester& who, std::string_view action,
                DeviceCertificate certificate, State state, std::optional<crypto::RevocationReason> reason) const;
  Result<DeviceCertificate> find(RecordsView& records, const ScopeId& scope, const crypto::SerialNumber& serial) const;

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
  const DeskOptions options_;
};

// What is asked of the signer for an order.
pki::DeviceOrder order_of(const DeviceCertificate& certificate, const pki::RevocationPlaces& places);

// "certificate:4a…", as the audit log names it.
std::string subject_of(const crypto::SerialNumber& serial);
Bytes key_sha256_of(ByteView public_key);
Result<bool> still_stands(const GroundStands& stands, const RegistrationId& registration, const Ground& ground);

}  // namespace warifu::device_ca
