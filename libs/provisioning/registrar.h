#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "audit/entry.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "provisioning/attestation_demand.h"
#include "provisioning/certificate_proof.h"
#include "provisioning/challenges.h"
#include "provisioning/claim.h"
#include "provisioning/records.h"
#include "provisioning/shared_key_cache.h"
#include "provisioning/statement.h"
#include "provisioning/tpm_place.h"

namespace warifu::provisioning {

struct RegistrarOptions {
  // Where devices go whose enrollment names no hub. At least one.
  std::vector<std::string> hubs;
  // Long enough for a slow TPM (RSA decryption and a key load take seconds on some) and a slow link.
  std::chrono::seconds challenge_lifetime{300};
  // How long the result of an operation can be fetched.
  std::chrono::seconds operation_lifetime{3600};
};

// A device that showed a live challenge's signature, a certificate or an enrolled key's signature: only
// Registrar::verify() makes one, and open_operation() takes nothing less.
class ProvenDevice {
 public:
  const RegistrationId& registration() const { return operation_.registration_id; }
  const Uuid& operation_id() const { return operation_.operation_id; }
  Mechanism mechanism() const { return operation_.mechanism; }
  // True when this very proof has opened an operation before and that is still open: nothing is left to change.
  bool has_operation() const { return has_operation_; }
  // True when an authority of its group vouched for its EK, just now: the certificate that did so is worth keeping.
  bool is_certified() const { return is_certified_; }

 private:
  friend class Registrar;
  ProvenDevice(Operation operation, bool has_operation)
      : operation_(std::move(operation)), has_operation_(has_operation) {}

  Operation operation_;
  bool has_operation_;
  bool is_certified_ = false;
  bool is_sticky_ = false;
  std::optional<Uuid> revision_;  // of the statement by which it was proved
  Bytes srk_name_;
  Bytes certificate_sha256_;
  std::string key_derived_for_;
};

// What a device learns when it asks how its operation stands and is assigned.
struct Assignment {
  Operation operation;
  Device device;
  Bytes authentication_key;                    // the hub key, which only that TPM can open; TPMs only
  std::optional<CertificateInfo> certificate;  // X.509 only
};
// Nothing is assigned yet.
struct Waiting {
  Operation operation;
  bool needs_approval;                              // an operator has not decided
  std::optional<AttestationShortfall> attestation;  // what it lacks; absent: nothing, or none is demanded
  // When it waits for nothing any more: the device, judged anew. resume() assigns it.
  std::optional<ProvenDevice> proven = {};
  bool is_over() const { return proven.has_value(); }
};
using Progress = std::variant<Assignment, Waiting>;

// A registration that was refused, where the refusal itself is worth keeping: the change is to be committed.
struct RecordedRefusal {
  Error error;
};

// Zero-touch provisioning, as Azure DPS devices speak it (docs/protocols/dps.md): with a TPM challenge() → verify() →
// open_operation() → progress() → end_operation(), with a certificate or a symmetric key from verify() on. It decides;
// it opens no socket and no file. Errors carry the stage as the first part of their code: enrollment, challenge, token,
// certificate, operation, device. Safe to call from several threads.
class Registrar {
 public:
  // `envelope_key` seals what is stored (crypto::kEnvelopeKeySize bytes). Clock, entropy and challenges outlive the
  // registrar.
  Registrar(const Clock& clock, Entropy& entropy, SecretBytes envelope_key, Challenges& challenges,
            RegistrarOptions options)
      : clock_(clock),
        entropy_(entropy),
        envelope_key_(std::move(envelope_key)),
        challenges_(challenges),
        options_(std::move(options)) {}

  // Makes a challenge for an EK that is enrolled, by itself or in a group: a key that is bound to the EK and the SRK,
  // as the authenticationKey blob. `endorsements` of the EK of the claim. kInvalidInput "request.tpm" without an offer.
  // kNotFound: no such scope or enrollment. kUnauthenticated "enrollment.ek": the offered EK is not the enrolled one.
  // kRefused: the device may not provision itself, its group does not take it under this ID, or not by its certificate
  // ("enrollment.ek_certificate"). kThrottled: too many are outstanding.
  Result<Bytes> challenge(RecordsView& records, const Claim& claim, EkEndorsements& endorsements);

  // Believes a device whose claim holds a proof. An offer is compared with what was challenged when the device repeats
  // it. kUnauthenticated: "token.*", "certificate.*" or "challenge.unknown" (never made, expired, or used up).
  Result<ProvenDevice> verify(RecordsView& records, const Claim& claim, EkEndorsements& endorsements);

  // Consumes the proof and assigns the device, in one transaction, or lets it wait for an approval or for an
  // attestation that is as good as the terms demand. Gives the operation
  // that stands for this proof: of two racers the second gets the first one's. Call forget() once that is on disk.
  // kUnavailable "enrollment.changed": an operator changed it since verify(). kThrottled "approval.too_many": too many
  // TPMs without a certificate wait for an operator already.
  Result<std::variant<Uuid, RecordedRefusal>> open_operation(Records& records, audit::Trail& trail,
                                                             const ProvenDevice& device) const;
  void forget(const ScopeId& scope, const ProvenDevice& device);

  // How an operation stands, for the device that opened it. kNotFound "operation.unknown"; kUnauthenticated as in
  // verify(); kRefused "operation.superseded": a newer one took its place. One that waits for nothing any more is
  // judged as verify() does: naming, authorities and what they are worth may be others than when it began to wait.
  // `endorsements`: of what was kept when it began.
  Result<Progress> progress(RecordsView& records, const Claim& claim, const Uuid& operation_id,
                            EkEndorsements& endorsements);
  // Assigns a device whose operation waited, if it need not wait any more by what stands in this transaction; refuses
  // it as open_operation() does if its EK came under another registration meanwhile. kRefused "operation.superseded";
  // kUnavailable "enrollment.changed": an operator changed it since progress().
  Result<std::optional<RecordedRefusal>> resume(Records& records, audit::Trail& trail,
                                                const ProvenDevice& device) const;

  // Notes that the result was fetched: from now on the challenge opens nothing any more.
  Status end_operation(Records& records, audit::Trail& trail, const Assignment& assignment) const;

  // Tells an operator, once until he acknowledges it, that a device waits whose attestation is not as good as its terms
  // demand: the alert "attestation.insufficient". To be asked when one was judged.
  Status tell_if_insufficient(Records& records, audit::Trail& trail, const Statement& statement,
                              ByteView ek_name) const;

  // The device of a registration, for whoever proves to be it. kNotFound "device.unknown": there is none, or it has
  // another EK.
  Result<Device> lookup(RecordsView& records, const Claim& claim, EkEndorsements& endorsements);

  // The statement under which a device with this EK may attest. Errors as challenge(): whether the EK is enrolled is
  // told first. An EK that came to a group by authorities before needs no certificate for it: what that is worth now is
  // for the appraisal to say.
  Result<Statement> may_attest(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                               const tpm::EkPublic& ek, EkEndorsements& endorsements) const;
  // The same of a device whose EK was proved, by its Name: is it still enrolled?
  Result<Statement> may_attest(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                               ByteView ek_name) const;

  // So that no device waits long behind a purge.
  static constexpr std::size_t kPurgeMax = 2'000;
  // Forgets expired challenges and removes at most kPurgeMax operations whose result can no longer be fetched, and as
  // many EKs of groups that are gone; returns how many.
  Result<std::size_t> purge(Records& records, audit::Trail& trail, const ScopeId& scope);

  std::size_t outstanding_challenges() const { return challenges_.size(); }

 private:
  // A live challenge whose key signed the token.
  struct SignedChallenge {
    SealedChallenge challenge;
    SecretBytes key;
  };

  // --- who is there: registrar_proof.cpp
  Result<TpmPlace> place_of_ek(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                               const tpm::EkPublic& ek, EkEndorsements& endorsements,
                               KnownEk known = KnownEk::kJudgedAnew) const;
  Result<std::optional<SecretBytes>> find_challenge_again(RecordsView& records, const Claim& claim,
                                                          const Statement& statement) const;
  Result<Bytes> make_challenge(RecordsView& records, const Claim& claim, const Statement& statement) const;
  Result<ProvenDevice> verify_tpm(RecordsView& records, const Claim& claim, const SignedChallenge& proof,
                                  EkEndorsements& endorsements) const;
  Result<ProvenDevice> prove_again(RecordsView& records, const Claim& claim, const Operation& operation,
                                   EkEndorsements& endorsements) const;
  Result<ProvenDevice> verify_again(RecordsView& records, const Claim& claim, Operation operation) const;
  Result<Statement> statement_of_credential(RecordsView& records, const Claim& claim);
  Result<Statement> check_own(RecordsView& records, const Claim& claim, const Enrollment& enrollment);
  Result<Statement> find_certificate_group(RecordsView& records, const Claim& claim);
  Result<Statement> find_key_group(RecordsView& records, const Claim& claim) const;
  // The spelling of its ID for which the group's key was derived that signed the token.
  Result<std::optional<std::string>> find_signed_spelling(const Claim& claim, const EnrollmentGroup& group) const;
  Result<TpmPlace> place_of_challenge(RecordsView& records, const Claim& claim, const SealedChallenge& challenge,
                                      EkEndorsements& endorsements) const;
  Result<TpmPlace> place_of_operation(RecordsView& records, const Operation& operation,
                                      EkEndorsements& endorsements) const;
  Result<Statement> statement_of_last(RecordsView& records, const Operation& last) const;
  Result<Statement> proven_statement(RecordsView& records, const Claim& claim, const std::optional<Device>& device,
                                     EkEndorsements& endorsements);
  Result<std::optional<SignedChallenge>> find_signed_challenge(const Claim& claim) const;
  // An operation of the registration that has not ended and whose challenge key signed the token.
  Result<std::optional<Operation>> find_signed_operation(RecordsView& records, const Claim& claim) const;
  Result<bool> is_signed_by_operation(const SasToken& token, const Operation& operation) const;

  // --- what it gets: registrar.cpp
  Status may_provision(RecordsView& records, const Statement& statement) const;
  // May a device with this EK, who has not proved it yet? Of a device with another EK it says nothing.
  Status may_ask(RecordsView& records, const Statement& statement, ByteView ek_name) const;
  // The statement under which an operation was proved, whether it may provision or not.
  Result<Statement> find_proved(RecordsView& records, const Operation& operation) const;
  // The operation that this very proof has opened before.
  Result<std::optional<Operation>> find_same(RecordsView& records, const Operation& operation) const;
  Result<Statement> statement_that_stands(RecordsView& records, const Operation& operation) const;
  Result<Statement> statement_of_result(RecordsView& records, const Operation& operation) const;
  // Keeps what was proved as used up, so that the same proof is refused, written down and told of once.
  Result<RecordedRefusal> keep_refusal(Records& records, Operation operation, Error refusal) const;
  Result<Operation> assign(Records& records, audit::Trail& trail, const Statement& statement,
                           const std::optional<Device>& before, const ProvenDevice& proven) const;
  // The device, if this operation is the one that assigned it last and it may collect the result.
  Result<Device> assigned_device(RecordsView& records, const Operation& operation) const;
  Result<Bytes> authentication_key(RecordsView& records, const Operation& operation, const Device& device) const;
  Status check_poll(RecordsView& records, const Claim& claim, const Operation& operation);
  bool is_live(const Operation& operation) const;

  // --- what it waits for: registrar_waiting.cpp
  // nullopt: nothing keeps the TPM from its assignment.
  Result<std::optional<std::variant<Uuid, RecordedRefusal>>> hold_tpm(Records& records, audit::Trail& trail,
                                                                      const Statement& statement,
                                                                      const ProvenDevice& proven,
                                                                      const std::optional<Device>& before) const;
  Status wait_for_approval(Records& records, audit::Trail& trail, const ProvenDevice& proven) const;
  Status wait_for_attestation(Records& records, audit::Trail& trail, const Statement& statement,
                              const ProvenDevice& proven, const AttestationShortfall& shortfall) const;
  Result<std::optional<AttestationShortfall>> find_shortfall_of(RecordsView& records, const Statement& statement,
                                                                const Operation& operation,
                                                                const std::optional<Device>& before) const;

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
  Challenges& challenges_;
  const RegistrarOptions options_;
  CertificateCache authorities_;
  mutable SharedKeyCache group_keys_;
};

}  // namespace warifu::provisioning
