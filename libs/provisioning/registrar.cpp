#include "provisioning/registrar.h"

#include <fmt/format.h>

#include "crypto/envelope.h"
#include "provisioning/sealed_keys.h"
#include "tpm_types/authentication_key.h"

namespace warifu::provisioning {
namespace {

// Both keys are HMAC-SHA256 keys: as long as the digest.
constexpr std::size_t kHmacKeySize = 32;

// The same answer whether the challenge never was, has expired or is used up: a stranger learns nothing from it.
Error unknown_challenge() {
  return {ErrorKind::kUnauthenticated, "challenge.unknown",
          "no live challenge fits this token: ask for a new one by registering without Authorization"};
}

Error other_keys() {
  return {ErrorKind::kUnauthenticated, "challenge.keys", "the keys in this request are not those that were challenged"};
}

Bytes copy(ByteView bytes) {
  return to_bytes(bytes);
}

}  // namespace

Result<Enrollment> Registrar::find_enrollment(RecordsView& records, const ScopeId& scope,
                                              const RegistrationId& registration) const {
  TRY(const bool scope_exists, records.scope_exists(scope));
  if (!scope_exists) return Error{ErrorKind::kNotFound, "enrollment.scope", "there is no such ID scope here"};
  TRY(auto enrollment, records.find_enrollment(scope, registration));
  if (!enrollment)
    return Error{ErrorKind::kNotFound, "enrollment.unknown", "this registration ID is not enrolled in this scope"};
  return *std::move(enrollment);
}

Status Registrar::may_provision(RecordsView& records, const Enrollment& enrollment) const {
  TRY(const auto device_id, DeviceId::parse(enrollment.registration_id.text()));
  TRY(const auto device, records.find_device(enrollment.scope, device_id));
  return may(device ? device->standing : lifecycle::Standing{}, lifecycle::Action::kProvision);
}

Result<Enrollment> Registrar::enrollment_that_may_provision(RecordsView& records, const ScopeId& scope,
                                                            const RegistrationId& registration) const {
  TRY(auto enrollment, find_enrollment(records, scope, registration));
  TRY_STATUS(may_provision(records, enrollment));
  return enrollment;
}

Result<Bytes> Registrar::challenge(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                   const Offer& offer) {
  TRY(const auto enrollment, find_enrollment(records, scope, registration));
  // Before anything else is told: without the EK, whoever names a registration ID would learn how its device stands.
  if (!std::ranges::equal(enrollment.ek_public, offer.ek.tpm2b()))
    return Error{ErrorKind::kUnauthenticated, "enrollment.ek",
                 "the endorsement key is not the one that is enrolled under this registration ID"};
  TRY_STATUS(may_provision(records, enrollment));
  const Timestamp now = clock_.now();
  const auto key = SecretBytes::random(entropy_, kHmacKeySize);
  const Uuid challenge_id = Uuid::v7(now, entropy_);
  SealedChallenge challenge{challenge_id,
                            enrollment.enrollment_id,
                            seal_outstanding_key(envelope_key_, scope, challenge_id, key, entropy_),
                            copy(offer.ek.name().bytes()),
                            copy(offer.ek.tpm2b()),
                            copy(offer.srk.name().bytes()),
                            copy(offer.srk.tpm2b()),
                            now + options_.challenge_lifetime};
  TRY(auto blob, tpm::make_authentication_key(offer.ek, offer.srk, key, entropy_));
  TRY_STATUS(challenges_.add(scope, registration, std::move(challenge), now));
  return blob;
}

Result<ProvenDevice> Registrar::verify(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                       const SasToken& token, const std::optional<Offer>& offer) {
  TRY_STATUS(check_resource(token, scope, registration));
  TRY_STATUS(check_expiry(token, clock_.now()));
  TRY(const auto proof, find_signed_challenge(scope, registration, token));
  if (!proof) {
    TRY(auto operation, find_signed_operation(records, scope, registration, token));
    if (!operation || operation->ended_at) return unknown_challenge();
    // With an enrollment its operations end, so only the device's standing is left to ask.
    TRY(const auto enrollment, enrollment_that_may_provision(records, scope, registration));
    if (offer && (!std::ranges::equal(offer->ek.tpm2b(), enrollment.ek_public) ||
                  !std::ranges::equal(offer->srk.tpm2b(), operation->srk_public)))
      return other_keys();
    return ProvenDevice(*std::move(operation), true);
  }
  if (offer && (!std::ranges::equal(offer->ek.name().bytes(), proof->challenge.ek_name) ||
                !std::ranges::equal(offer->srk.name().bytes(), proof->challenge.srk_name)))
    return other_keys();
  return prove(scope, registration, token, *proof);
}

Result<std::optional<Registrar::SignedChallenge>> Registrar::find_signed_challenge(const ScopeId& scope,
                                                                                   const RegistrationId& registration,
                                                                                   const SasToken& token) const {
  TRY(auto live, challenges_.find(scope, registration, clock_.now()));
  for (SealedChallenge& challenge : live) {
    TRY(auto key, open_outstanding_key(envelope_key_, scope, challenge.challenge_id, challenge.sealed_key));
    if (is_signed_by(token, key))
      return std::optional<SignedChallenge>(SignedChallenge{std::move(challenge), std::move(key)});
  }
  return std::optional<SignedChallenge>();
}

Result<ProvenDevice> Registrar::prove(const ScopeId& scope, const RegistrationId& registration, const SasToken& token,
                                      const SignedChallenge& proof) const {
  const SealedChallenge& challenge = proof.challenge;
  const Timestamp now = clock_.now();
  const Uuid operation_id = Uuid::v7(now, entropy_);
  TRY(const auto device_id, DeviceId::parse(registration.text()));
  ProvenDevice device(
      Operation{scope, operation_id, registration, challenge.enrollment_id, challenge.challenge_id,
                seal_challenge_key(envelope_key_, scope, operation_id, proof.key, entropy_), token_digest(token),
                challenge.srk_public, /*first_assignment=*/true, now, /*ended_at=*/std::nullopt},
      false);
  device.ek_name_ = challenge.ek_name;
  device.srk_name_ = challenge.srk_name;
  device.sealed_hub_key_ =
      seal_hub_key(envelope_key_, scope, device_id, SecretBytes::random(entropy_, kHmacKeySize), entropy_);
  return device;
}

Result<Uuid> Registrar::open_operation(Records& records, audit::Trail& trail, const ProvenDevice& proven) const {
  Operation operation = proven.operation_;
  const ScopeId& scope = operation.scope;
  TRY(const auto existing, records.find_operation_of_challenge(scope, operation.challenge_id));
  if (existing && existing->ended_at) return unknown_challenge();
  if (existing) return existing->operation_id;

  TRY(const auto enrollment, enrollment_that_may_provision(records, scope, operation.registration_id));
  // The enrollment may have been removed, or made anew, since the challenge.
  if (enrollment.enrollment_id != operation.enrollment_id) return unknown_challenge();

  TRY(const auto device_id, DeviceId::parse(operation.registration_id.text()));
  TRY(const auto before, records.find_device(scope, device_id));
  const bool ek_changed = before && before->ek_name != proven.ek_name_;
  operation.first_assignment = !before || ek_changed;
  TRY_STATUS(records.end_operations(scope, operation.registration_id, operation.created_at));
  TRY_STATUS(records.insert_operation(operation));
  TRY_STATUS(records.put_device({scope,
                                 device_id,
                                 operation.registration_id,
                                 operation.enrollment_id,
                                 operation.operation_id,
                                 {lifecycle::State::kProvisioned, lifecycle::Hold::kNone},
                                 proven.ek_name_,
                                 proven.srk_name_,
                                 options_.assigned_hub,
                                 proven.sealed_hub_key_,
                                 before ? before->created_at : operation.created_at,
                                 operation.created_at}));
  const bool srk_changed = before && before->srk_name != proven.srk_name_;
  TRY_STATUS(trail.record(
      scope,
      {fmt::format("device:{}", device_id.text()), "device.provision", fmt::format("device:{}", device_id.text()),
       fmt::format(R"({{"operation_id":"{}","assigned_hub":"{}","srk_name":"{}","ek_changed":{},"srk_changed":{}}})",
                   operation.operation_id.text(), options_.assigned_hub, to_hex(proven.srk_name_), ek_changed,
                   srk_changed)}));
  return operation.operation_id;
}

void Registrar::forget(const ScopeId& scope, const ProvenDevice& device) {
  challenges_.remove(scope, device.registration(), device.operation_.challenge_id);
}

Result<Assignment> Registrar::assignment(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                         const Uuid& operation_id, const SasToken& token) const {
  TRY_STATUS(check_resource(token, scope, registration));
  TRY(auto operation, records.find_operation(scope, operation_id));
  if (!operation || operation->registration_id != registration || !is_live(*operation))
    return Error{ErrorKind::kNotFound, "operation.unknown", "there is no such operation for this registration"};
  TRY(const bool is_signed, is_signed_by_operation(token, *operation));
  if (!is_signed)
    return Error{ErrorKind::kUnauthenticated, "token.signature",
                 "the token is not signed by this operation's challenge"};
  // A token that lives for seconds is made once and used for every poll (Azure IoT Edge does so): the one that opened
  // the operation stays good for it.
  if (token_digest(token) != operation->token_digest) TRY_STATUS(check_expiry(token, clock_.now()));

  TRY(const auto enrollment, enrollment_that_may_provision(records, scope, registration));
  TRY(auto device, assigned_device(records, *operation, enrollment));
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(enrollment.ek_public));
  TRY(const auto srk, tpm::SrkPublic::from_tpm2b(operation->srk_public));
  TRY(const auto hub_key, open_hub_key(envelope_key_, scope, device.device_id, device.sealed_hub_key));
  TRY(auto blob, tpm::make_authentication_key(ek, srk, hub_key, entropy_));
  return Assignment{*std::move(operation), std::move(device), std::move(blob)};
}

Result<Device> Registrar::assigned_device(RecordsView& records, const Operation& operation,
                                          const Enrollment& enrollment) const {
  TRY(const auto device_id, DeviceId::parse(operation.registration_id.text()));
  TRY(auto device, records.find_device(operation.scope, device_id));
  if (!device || device->operation_id != operation.operation_id || enrollment.enrollment_id != operation.enrollment_id)
    return Error{ErrorKind::kRefused, "operation.superseded", "a later registration took the place of this operation"};
  TRY_STATUS(may(device->standing, lifecycle::Action::kCollectAssignment));
  return *std::move(device);
}

Status Registrar::end_operation(Records& records, audit::Trail& trail, const Assignment& assignment) const {
  const Operation& operation = assignment.operation;
  // Asked again: an operator, or the device itself, may have changed it since the result was read.
  TRY(const auto enrollment, enrollment_that_may_provision(records, operation.scope, operation.registration_id));
  TRY_STATUS(assigned_device(records, operation, enrollment));
  TRY_STATUS(records.end_operation(operation.scope, operation.operation_id, clock_.now()));
  const std::string device = fmt::format("device:{}", assignment.device.device_id.text());
  return trail.record(operation.scope, {device, "assignment.collect", device,
                                        fmt::format(R"({{"operation_id":"{}"}})", operation.operation_id.text())});
}

Result<Device> Registrar::lookup(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                 const SasToken& token) {
  TRY_STATUS(check_resource(token, scope, registration));
  TRY_STATUS(check_expiry(token, clock_.now()));
  TRY(const auto enrollment, find_enrollment(records, scope, registration));
  TRY(const auto proof, find_signed_challenge(scope, registration, token));
  if (!proof || proof->challenge.enrollment_id != enrollment.enrollment_id) {
    TRY(const auto operation, find_signed_operation(records, scope, registration, token));
    if (!operation) return unknown_challenge();
  }
  TRY_STATUS(may_provision(records, enrollment));
  TRY(const auto device_id, DeviceId::parse(registration.text()));
  TRY(auto device, records.find_device(scope, device_id));
  if (!device || device->enrollment_id != enrollment.enrollment_id)
    return Error{ErrorKind::kNotFound, "device.unknown", "this registration ID has not registered yet"};
  return *std::move(device);
}

Result<std::size_t> Registrar::purge(Records& records, audit::Trail& trail, const ScopeId& scope) {
  const Timestamp now = clock_.now();
  challenges_.purge(now);
  TRY(const std::size_t removed, records.purge_operations(scope, now - options_.operation_lifetime, kPurgeMax));
  if (removed > 0)
    TRY_STATUS(
        trail.record(scope, {"system", "operation.purge", "operations", fmt::format(R"({{"removed":{}}})", removed)}));
  return removed;
}

Result<std::optional<Operation>> Registrar::find_signed_operation(RecordsView& records, const ScopeId& scope,
                                                                  const RegistrationId& registration,
                                                                  const SasToken& token) const {
  // By the device and not by time: clocks go backwards.
  TRY(const auto device_id, DeviceId::parse(registration.text()));
  TRY(const auto device, records.find_device(scope, device_id));
  if (!device) return std::optional<Operation>();
  TRY(auto operation, records.find_operation(scope, device->operation_id));
  if (!operation || !is_live(*operation)) return std::optional<Operation>();
  TRY(const bool is_signed, is_signed_by_operation(token, *operation));
  return is_signed ? std::move(operation) : std::optional<Operation>();
}

Result<bool> Registrar::is_signed_by_operation(const SasToken& token, const Operation& operation) const {
  TRY(const auto key,
      open_challenge_key(envelope_key_, operation.scope, operation.operation_id, operation.sealed_challenge_key));
  return is_signed_by(token, key);
}

bool Registrar::is_live(const Operation& operation) const {
  return operation.created_at + options_.operation_lifetime > clock_.now();
}

}  // namespace warifu::provisioning
