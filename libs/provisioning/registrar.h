#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "audit/entry.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "provisioning/challenges.h"
#include "provisioning/records.h"
#include "provisioning/sas_token.h"
#include "tpm_types/storage_key.h"

namespace warifu::provisioning {

// The keys that a device says it has. Nothing about them is proved yet: both are public.
struct Offer {
  tpm::EkPublic ek;
  tpm::SrkPublic srk;
};

struct RegistrarOptions {
  std::string assigned_hub;
  // Long enough for a slow TPM (RSA decryption and a key load take seconds on some) and a slow link.
  std::chrono::seconds challenge_lifetime{300};
  // How long the result of an operation can be fetched.
  std::chrono::seconds operation_lifetime{3600};
};

// A device that signed a live challenge: only Registrar::verify() makes one, and open_operation() takes nothing less.
class ProvenDevice {
 public:
  const RegistrationId& registration() const { return operation_.registration_id; }
  const Uuid& operation_id() const { return operation_.operation_id; }
  // True when this very challenge has opened an operation before and that is still open: nothing is left to change.
  bool has_operation() const { return has_operation_; }

 private:
  friend class Registrar;
  ProvenDevice(Operation operation, bool has_operation)
      : operation_(std::move(operation)), has_operation_(has_operation) {}

  Operation operation_;
  bool has_operation_;
  Bytes ek_name_;
  Bytes srk_name_;
  Bytes sealed_hub_key_;
};

// What a device learns when it asks how its operation stands.
struct Assignment {
  Operation operation;
  Device device;
  Bytes authentication_key;  // the hub key, which only that TPM can open (tpm::make_authentication_key)
};

// Zero-touch provisioning by TPM, as Azure DPS devices speak it (docs/protocols/dps.md): challenge() → verify() →
// open_operation() → assignment() → end_operation(). It decides; it opens no socket and no file. Errors carry the stage
// as the first part of their code: enrollment, challenge, token, operation, device. Safe to call from several threads.
class Registrar {
 public:
  // `envelope_key` seals what is stored (crypto::kEnvelopeKeySize bytes). What is passed by reference outlives the
  // registrar.
  Registrar(const Clock& clock, Entropy& entropy, SecretBytes envelope_key, Challenges& challenges,
            RegistrarOptions options)
      : clock_(clock),
        entropy_(entropy),
        envelope_key_(std::move(envelope_key)),
        challenges_(challenges),
        options_(std::move(options)) {}

  // Makes a challenge for an enrolled EK: a key that is bound to the EK and the SRK, as the authenticationKey blob.
  // kNotFound: no such scope or enrollment. kUnauthenticated "enrollment.ek": the offered EK is not the enrolled one.
  // kRefused: the device may not provision itself. kThrottled: too many are outstanding.
  Result<Bytes> challenge(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                          const Offer& offer);

  // Believes a device whose token is signed by a live challenge, or by that of its operation which is still open.
  // `offer` is compared with what was challenged when the device repeats it. kUnauthenticated: "token.*" or
  // "challenge.unknown" (never made, expired, or used up).
  Result<ProvenDevice> verify(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                              const SasToken& token, const std::optional<Offer>& offer);

  // Consumes the challenge and assigns the device, in one transaction. Returns the operation that stands for this
  // challenge: of two racers the second gets the first one's. Call forget() once that is on disk.
  Result<Uuid> open_operation(Records& records, audit::Trail& trail, const ProvenDevice& device) const;
  void forget(const ScopeId& scope, const ProvenDevice& device);

  // The result of an operation for the device that opened it. kNotFound "operation.unknown"; kUnauthenticated as in
  // verify(); kRefused "operation.superseded": a newer one took its place.
  Result<Assignment> assignment(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                const Uuid& operation_id, const SasToken& token) const;

  // Notes that the result was fetched: from now on the challenge opens nothing any more.
  Status end_operation(Records& records, audit::Trail& trail, const Assignment& assignment) const;

  // The device of a registration, for whoever holds a live challenge or operation of it. kNotFound "device.unknown".
  Result<Device> lookup(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                        const SasToken& token);

  // So that no device waits long behind a purge.
  static constexpr std::size_t kPurgeMax = 2'000;
  // Forgets expired challenges and removes at most kPurgeMax operations whose result can no longer be fetched; returns
  // how many.
  Result<std::size_t> purge(Records& records, audit::Trail& trail, const ScopeId& scope);

  std::size_t outstanding_challenges() const { return challenges_.size(); }

 private:
  // A live challenge whose key signed the token.
  struct SignedChallenge {
    SealedChallenge challenge;
    SecretBytes key;
  };
  Result<std::optional<SignedChallenge>> find_signed_challenge(const ScopeId& scope, const RegistrationId& registration,
                                                               const SasToken& token) const;
  Result<Enrollment> find_enrollment(RecordsView& records, const ScopeId& scope,
                                     const RegistrationId& registration) const;
  Status may_provision(RecordsView& records, const Enrollment& enrollment) const;
  Result<Enrollment> enrollment_that_may_provision(RecordsView& records, const ScopeId& scope,
                                                   const RegistrationId& registration) const;
  // The device, if this operation is the one that assigned it last and it may collect the result.
  Result<Device> assigned_device(RecordsView& records, const Operation& operation, const Enrollment& enrollment) const;
  Result<ProvenDevice> prove(const ScopeId& scope, const RegistrationId& registration, const SasToken& token,
                             const SignedChallenge& proof) const;
  // The operation that assigned the device last, if it is live and its challenge key signed the token.
  Result<std::optional<Operation>> find_signed_operation(RecordsView& records, const ScopeId& scope,
                                                         const RegistrationId& registration,
                                                         const SasToken& token) const;
  Result<bool> is_signed_by_operation(const SasToken& token, const Operation& operation) const;
  bool is_live(const Operation& operation) const;

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
  Challenges& challenges_;
  const RegistrarOptions options_;
};

}  // namespace warifu::provisioning
