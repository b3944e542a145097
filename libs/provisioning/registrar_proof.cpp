// Who is there: what makes Registrar believe a claim.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "provisioning/duplicates.h"
#include "provisioning/limits.h"
#include "provisioning/registrar.h"
#include "provisioning/sealed_keys.h"
#include "tpm_types/authentication_key.h"

namespace warifu::provisioning {
namespace {

// Both keys are HMAC-SHA256 keys: as long as the digest.
constexpr std::size_t kHmacKeySize = 32;

constexpr std::string_view kUnknownCertificate = "certificate.unknown";

// The same answer whether the challenge never was, has expired or is used up: a stranger learns nothing from it.
Error unknown_challenge() {
  return {ErrorKind::kUnauthenticated, "challenge.unknown",
          "no live challenge fits this token: ask for a new one by registering without Authorization"};
}

Error other_keys() {
  return {ErrorKind::kUnauthenticated, "challenge.keys", "the keys in this request are not those that were challenged"};
}

Error unsigned_token() {
  return {ErrorKind::kUnauthenticated, "token.signature",
          "the token is not signed by a key that is enrolled for this registration ID"};
}

Error not_registered() {
  return {ErrorKind::kNotFound, "device.unknown", "this registration ID has not registered yet"};
}

Error wrong_mechanism(std::string_view shown) {
  return {ErrorKind::kUnauthenticated, "enrollment.mechanism",
          fmt::format("this registration ID is enrolled, but does not prove itself by {}", shown)};
}

Error another_ek(ByteView enrolled, ByteView offered) {
  return {
      .kind = ErrorKind::kUnauthenticated,
      .code = "enrollment.ek",
      .message = "the endorsement key is not the one that is enrolled under this registration ID",
      .operator_detail = fmt::format("enrolled is the EK {}, the device has {}", to_hex(enrolled), to_hex(offered))};
}

bool is_offered(const Offer& offer, ByteView ek_name, ByteView srk_name) {
  return std::ranges::equal(offer.ek.name().bytes(), ek_name) && std::ranges::equal(offer.srk.name().bytes(), srk_name);
}

// SHA-256 of what the device showed: it recognises the same again.
Bytes proof_digest(const Claim& claim) {
  if (claim.token) return token_digest(*claim.token);
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {claim.chain->front()}).bytes());
}

Status check_token(const Claim& claim, Timestamp now) {
  TRY_STATUS(check_resource(*claim.token, claim.scope, claim.registration));
  return check_expiry(*claim.token, now);
}

}  // namespace

// The enrollment of its own, or a place in a group.
Result<TpmPlace> Registrar::place_of_ek(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                        const tpm::EkPublic& ek, EkEndorsements& endorsements, KnownEk known) const {
  TRY(const bool scope_exists, records.scope_exists(scope));
  if (!scope_exists) return Error{ErrorKind::kNotFound, "enrollment.scope", "there is no such ID scope here"};
  TRY(const auto own, records.find_enrollment(scope, registration));
  if (own) {
    const auto* tpm = std::get_if<TpmAttestation>(&own->attestation);
    if (tpm == nullptr) return wrong_mechanism("a TPM");
    if (!std::ranges::equal(tpm->ek_public, ek.tpm2b())) return another_ek(tpm->ek_name, ek.name().bytes());
    TRY(auto statement, statement_of(*own));
    return TpmPlace{std::move(statement)};
  }
  return find_group_place(records, scope, registration, ek, endorsements, known);
}

Result<Statement> Registrar::may_attest(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                        ByteView ek_name) const {
  NoEndorsements none;
  TRY(const auto own, records.find_enrollment(scope, registration));
  const auto* tpm = own ? std::get_if<TpmAttestation>(&own->attestation) : nullptr;
  if (own) {
    if (tpm == nullptr) return wrong_mechanism("a TPM");
    if (!std::ranges::equal(tpm->ek_name, ek_name)) return another_ek(tpm->ek_name, ek_name);
    TRY(const auto ek, tpm::EkPublic::from_tpm2b(tpm->ek_public));
    return may_attest(records, scope, registration, ek, none);
  }
  TRY(const auto listed, records.find_group_ek(scope, ek_name));
  if (!listed) return not_enrolled();
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(listed->ek_public));
  return may_attest(records, scope, registration, ek, none);
}

// Of an uncertified one: an operator has not agreed.
Result<Statement> Registrar::may_attest(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                        const tpm::EkPublic& ek, EkEndorsements& endorsements) const {
  TRY(const auto listed, records.find_group_ek(scope, ek.name().bytes()));
  TRY(auto place, place_of_ek(records, scope, registration, ek, endorsements, KnownEk::kBelieved));
  if (place.uncertified) return *std::move(place.uncertified);
  TRY_STATUS(check_enabled(place.statement));
  if (place.statement.group && listed && listed->registration_id && *listed->registration_id != registration)
    return Error{ErrorKind::kRefused, "enrollment.bound", "this endorsement key came under another ID of its group"};
  TRY(const auto device, records.find_device_of(scope, registration));
  TRY_STATUS(check_attests_for_itself(records, place.statement, ek.name().bytes(), device));
  TRY_STATUS(may(device ? device->standing : lifecycle::Standing{}, lifecycle::Action::kAttest));
  return std::move(place.statement);
}

Result<Bytes> Registrar::challenge(RecordsView& records, const Claim& claim, EkEndorsements& endorsements) {
  if (!claim.offer)
    return invalid_input("request.tpm",
                         "a registration without Authorization and client certificate needs the TPM's public keys",
                         "tpm");
  // Before anything else is told: without the EK, whoever names a registration ID would learn how its device stands.
  TRY(const auto place, place_of_ek(records, claim.scope, claim.registration, claim.offer->ek, endorsements));
  const Statement& statement = place.statement;
  // An EK is public, and any TPM of a maker may be one of a group's: of another device who has not proved himself to be
  // it is told nothing.
  TRY_STATUS(may_ask(records, statement, claim.offer->ek.name().bytes()));
  TRY(const auto again, find_challenge_again(records, claim, statement));
  if (again) return tpm::make_authentication_key(claim.offer->ek, claim.offer->srk, *again, entropy_);
  return make_challenge(records, claim, statement);
}

// The key of a live challenge for the same keys, if it is good for long enough: whoever asks again, be it a stranger,
// pushes out nothing. It tells a stranger nothing either: only the TPM that has both keys can open it.
Result<std::optional<SecretBytes>> Registrar::find_challenge_again(RecordsView& records, const Claim& claim,
                                                                   const Statement& statement) const {
  const Timestamp now = clock_.now();
  TRY(const auto live, challenges_.find(claim.scope, claim.registration, now));
  const auto same = std::ranges::find_if(live, [&](const SealedChallenge& c) {
    return c.enrollment_id == statement.enrollment_id && c.expires_at >= now + options_.challenge_lifetime / 2 &&
           std::ranges::equal(c.ek_public, claim.offer->ek.tpm2b()) &&
           std::ranges::equal(c.srk_public, claim.offer->srk.tpm2b());
  });
  if (same == live.end()) return std::optional<SecretBytes>();
  // What was used up leaves the challenges a little later.
  TRY(const auto used, records.find_operation_of_challenge(claim.scope, same->challenge_id));
  if (used) return std::optional<SecretBytes>();
  TRY(auto key, open_outstanding_key(envelope_key_, claim.scope, same->challenge_id, same->sealed_key));
  return std::optional<SecretBytes>(std::move(key));
}

Result<Bytes> Registrar::make_challenge(RecordsView& records, const Claim& claim, const Statement& statement) const {
  const Timestamp now = clock_.now();
  const auto& [ek, srk] = *claim.offer;
  TRY(const auto device, records.find_device_of(claim.scope, claim.registration));
  const auto key = SecretBytes::random(entropy_, kHmacKeySize);
  const Uuid challenge_id = Uuid::v7(now, entropy_);
  SealedChallenge challenge{.challenge_id = challenge_id,
                            .enrollment_id = statement.enrollment_id,
                            .sealed_key = seal_outstanding_key(envelope_key_, claim.scope, challenge_id, key, entropy_),
                            .ek_name = to_bytes(ek.name().bytes()),
                            .ek_public = to_bytes(ek.tpm2b()),
                            .srk_name = to_bytes(srk.name().bytes()),
                            .srk_public = to_bytes(srk.tpm2b()),
                            .expires_at = now + options_.challenge_lifetime,
                            .peer_network = claim.peer_network,
                            .has_known_keys = device && is_offered(*claim.offer, device->ek_name, device->srk_name)};
  TRY(auto blob, tpm::make_authentication_key(ek, srk, key, entropy_));
  TRY_STATUS(challenges_.add(claim.scope, claim.registration, std::move(challenge), now));
  return blob;
}

Result<ProvenDevice> Registrar::verify(RecordsView& records, const Claim& claim, EkEndorsements& endorsements) {
  if (claim.token) {
    TRY_STATUS(check_token(claim, clock_.now()));
    TRY(const auto proof, find_signed_challenge(claim));
    if (proof) return verify_tpm(records, claim, *proof, endorsements);
    TRY(auto operation, find_signed_operation(records, claim));
    if (operation) return verify_again(records, claim, *std::move(operation));
  }
  TRY(const auto statement, statement_of_credential(records, claim));
  TRY_STATUS(may_provision(records, statement));

  const Bytes digest = proof_digest(claim);
  TRY(auto open, records.find_open_operation(claim.scope, claim.registration, Operation::State::kAssigned));
  if (open && is_live(*open) && open->enrollment_id == statement.enrollment_id && open->token_digest == digest)
    return ProvenDevice(*std::move(open), true);
  const Timestamp now = clock_.now();
  const auto mechanism = claim.token ? Mechanism::kSymmetricKey : Mechanism::kX509;
  ProvenDevice device(Operation{.scope = claim.scope,
                                .operation_id = Uuid::v7(now, entropy_),
                                .registration_id = claim.registration,
                                .enrollment_id = statement.enrollment_id,
                                .group = statement.group,
                                .mechanism = mechanism,
                                .challenge_id = std::nullopt,
                                .sealed_challenge_key = {},
                                .ek_name = {},
                                .srk_public = {},
                                .token_digest = digest,
                                .created_at = now,
                                .ended_at = std::nullopt},
                      false);
  if (mechanism == Mechanism::kX509) device.certificate_sha256_ = digest;
  if (mechanism == Mechanism::kSymmetricKey && statement.group) {
    TRY(const auto group, records.find_group(claim.scope, *statement.group));
    TRY(auto spelling, group ? find_signed_spelling(claim, *group) : Result<std::optional<std::string>>(std::nullopt));
    device.key_derived_for_ = std::move(spelling).value_or("");
  }
  device.is_sticky_ = claim.is_sticky;
  device.revision_ = statement.revision;
  return device;
}

// What a challenge was made under. Once that is gone the challenge proves nothing; whoever holds it is told no more
// than a stranger is, who asks for one.
Result<TpmPlace> Registrar::place_of_challenge(RecordsView& records, const Claim& claim,
                                               const SealedChallenge& challenge, EkEndorsements& endorsements) const {
  TRY(const auto own, records.find_enrollment(claim.scope, claim.registration));
  if (own) {
    if (own->enrollment_id != challenge.enrollment_id) return unknown_challenge();
    TRY(auto statement, statement_of(*own));
    return TpmPlace{std::move(statement)};
  }
  // Naming and authorities may have been changed since: the ID must be one that the group gives now.
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(challenge.ek_public));
  TRY(auto place, find_group_place(records, claim.scope, claim.registration, ek, endorsements));
  if (place.statement.enrollment_id != challenge.enrollment_id) return unknown_challenge();
  return place;
}

// A challenge was signed: EK and SRK are in the TPM that did.
Result<ProvenDevice> Registrar::verify_tpm(RecordsView& records, const Claim& claim, const SignedChallenge& proof,
                                           EkEndorsements& endorsements) const {
  const SealedChallenge& challenge = proof.challenge;
  if (claim.offer && !is_offered(*claim.offer, challenge.ek_name, challenge.srk_name)) return other_keys();
  TRY(const auto place, place_of_challenge(records, claim, challenge, endorsements));
  const Statement& statement = place.statement;
  const Timestamp now = clock_.now();
  const Uuid operation_id = Uuid::v7(now, entropy_);
  ProvenDevice device(Operation{.scope = claim.scope,
                                .operation_id = operation_id,
                                .registration_id = claim.registration,
                                .enrollment_id = statement.enrollment_id,
                                .group = statement.group,
                                .mechanism = Mechanism::kTpm,
                                .challenge_id = challenge.challenge_id,
                                .sealed_challenge_key =
                                    seal_challenge_key(envelope_key_, claim.scope, operation_id, proof.key, entropy_),
                                .ek_name = challenge.ek_name,
                                .srk_public = challenge.srk_public,
                                .token_digest = token_digest(*claim.token),
                                .created_at = now,
                                .ended_at = std::nullopt,
                                .ek_public = place.is_by_authority ? challenge.ek_public : Bytes(),
                                .is_uncertified = place.uncertified.has_value()},
                      false);
  device.is_certified_ = place.is_certified;
  device.srk_name_ = challenge.srk_name;
  device.is_sticky_ = claim.is_sticky;
  device.revision_ = statement.revision;
  return device;
}

// What a waiting operation rests on now.
Result<TpmPlace> Registrar::place_of_operation(RecordsView& records, const Operation& operation,
                                               EkEndorsements& endorsements) const {
  TRY(const auto own, records.find_enrollment(operation.scope, operation.registration_id));
  if (own) {
    const auto* tpm = std::get_if<TpmAttestation>(&own->attestation);
    if (tpm == nullptr || tpm->ek_name != operation.ek_name) return not_enrolled();
    TRY(auto statement, statement_of(*own));
    return TpmPlace{std::move(statement)};
  }
  Bytes ek_public = operation.ek_public;
  if (ek_public.empty()) {
    TRY(const auto listed, records.find_group_ek(operation.scope, operation.ek_name));
    if (!listed) return not_enrolled();
    ek_public = listed->ek_public;
  }
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(ek_public));
  return find_group_place(records, operation.scope, operation.registration_id, ek, endorsements);
}

// Who waited is judged as if it came now: naming, authorities and what they are worth may be others since.
Result<ProvenDevice> Registrar::prove_again(RecordsView& records, const Claim& claim, const Operation& operation,
                                            EkEndorsements& endorsements) const {
  TRY(auto place, place_of_operation(records, operation, endorsements));
  if (place.uncertified) return *std::move(place.uncertified);
  if (place.statement.enrollment_id != operation.enrollment_id)
    return Error{ErrorKind::kRefused, "operation.superseded", "this TPM comes by another group now: register again"};
  TRY(const auto srk, tpm::SrkPublic::from_tpm2b(operation.srk_public));
  ProvenDevice device(operation, true);
  device.is_certified_ = place.is_certified;
  device.srk_name_ = to_bytes(srk.name().bytes());
  device.is_sticky_ = claim.is_sticky;
  device.revision_ = place.statement.revision;
  return device;
}

// The challenge was used up by an operation that is still open.
Result<ProvenDevice> Registrar::verify_again(RecordsView& records, const Claim& claim, Operation operation) const {
  TRY(const auto statement, statement_that_stands(records, operation));
  TRY_STATUS(may_provision(records, statement));
  if (claim.offer && (!std::ranges::equal(claim.offer->ek.name().bytes(), operation.ek_name) ||
                      !std::ranges::equal(claim.offer->srk.tpm2b(), operation.srk_public)))
    return other_keys();
  return ProvenDevice(std::move(operation), true);
}

Result<Statement> Registrar::statement_of_credential(RecordsView& records, const Claim& claim) {
  TRY(const auto own, records.find_enrollment(claim.scope, claim.registration));
  if (own) return check_own(records, claim, *own);
  if (claim.token) return find_key_group(records, claim);
  return find_certificate_group(records, claim);
}

Result<Statement> Registrar::check_own(RecordsView&, const Claim& claim, const Enrollment& enrollment) {
  if (std::holds_alternative<TpmAttestation>(enrollment.attestation)) {
    if (claim.token) return unknown_challenge();
    return wrong_mechanism("a client certificate");
  }
  if (const auto* x509 = std::get_if<X509Attestation>(&enrollment.attestation)) {
    // Beside a certificate a token proves nothing: it would only pass for what the device proved itself by.
    if (claim.token) return wrong_mechanism("a token");
    TRY(const auto chain, client_chain_of(claim));
    TRY_STATUS(check_enrolled_certificate(chain, x509->client, clock_.now()));
    return statement_of(enrollment);
  }
  if (!claim.token) return wrong_mechanism("a client certificate");
  TRY(const auto keys, open_shared_keys(envelope_key_, enrollment.scope, enrollment.enrollment_id,
                                        std::get<SymmetricKeyAttestation>(enrollment.attestation)));
  if (!is_signed_by(*claim.token, keys)) return unsigned_token();
  return statement_of(enrollment);
}

Result<Statement> Registrar::find_certificate_group(RecordsView& records, const Claim& claim) {
  TRY(const auto groups, records.list_groups_of(claim.scope, Mechanism::kX509, kGroupsPerMechanismMax));
  if (groups.empty()) return not_enrolled();
  TRY(const auto chain, client_chain_of(claim));
  Error why{ErrorKind::kUnauthenticated, kUnknownCertificate, "no enrolled authority issued the client certificate"};
  for (const auto& group : groups) {
    const auto& signing = std::get<X509GroupAttestation>(group.attestation).signing;
    auto checked = check_certificate_path(chain, signing, authorities_, clock_.now());
    if (checked) return statement_of(group, claim.registration);
    // An authority that is named tells more than all those that are not, wherever they stand in the list.
    if (checked.error().code != kUnknownCertificate) why = std::move(checked).error();
  }
  return why;
}

Result<Statement> Registrar::find_key_group(RecordsView& records, const Claim& claim) const {
  // The group that it came under before is the most likely one.
  TRY(const auto device, records.find_device_of(claim.scope, claim.registration));
  if (device && device->group && device->mechanism == Mechanism::kSymmetricKey) {
    TRY(const auto group, records.find_group(claim.scope, *device->group));
    TRY(const auto spelling,
        group ? find_signed_spelling(claim, *group) : Result<std::optional<std::string>>(std::nullopt));
    if (spelling) return statement_of(*group, claim.registration);
  }
  TRY(const auto groups, records.list_groups_of(claim.scope, Mechanism::kSymmetricKey, kGroupsPerMechanismMax));
  if (groups.empty()) return unknown_challenge();
  for (const auto& group : groups) {
    TRY(const auto spelling, find_signed_spelling(claim, group));
    if (spelling) return statement_of(group, claim.registration);
  }
  return unsigned_token();
}

Result<std::optional<std::string>> Registrar::find_signed_spelling(const Claim& claim,
                                                                   const EnrollmentGroup& group) const {
  const auto* sealed = std::get_if<SymmetricKeyGroupAttestation>(&group.attestation);
  if (sealed == nullptr) return std::optional<std::string>();
  TRY(const auto keys, group_keys_.open(envelope_key_, group.scope, group.enrollment_id, *sealed, clock_.now()));
  return signed_spelling(*claim.token, *keys, claim.registration_as_written, claim.registration);
}

Result<std::optional<Registrar::SignedChallenge>> Registrar::find_signed_challenge(const Claim& claim) const {
  TRY(auto live, challenges_.find(claim.scope, claim.registration, clock_.now()));
  for (SealedChallenge& challenge : live) {
    TRY(auto key, open_outstanding_key(envelope_key_, claim.scope, challenge.challenge_id, challenge.sealed_key));
    if (is_signed_by(*claim.token, key))
      return std::optional<SignedChallenge>(SignedChallenge{std::move(challenge), std::move(key)});
  }
  return std::optional<SignedChallenge>();
}

Result<std::optional<Operation>> Registrar::find_signed_operation(RecordsView& records, const Claim& claim) const {
  TRY(auto open, records.list_waiting_operations(claim.scope, claim.registration));
  TRY(auto assigned, records.find_open_operation(claim.scope, claim.registration, Operation::State::kAssigned));
  if (assigned) open.insert(open.begin(), *std::move(assigned));
  for (Operation& operation : open) {
    if (!operation.challenge_id || !is_live(operation)) continue;
    TRY(const bool is_signed, is_signed_by_operation(*claim.token, operation));
    if (is_signed) return std::optional<Operation>(std::move(operation));
  }
  return std::optional<Operation>();
}

Result<bool> Registrar::is_signed_by_operation(const SasToken& token, const Operation& operation) const {
  TRY(const auto key,
      open_challenge_key(envelope_key_, operation.scope, operation.operation_id, operation.sealed_challenge_key));
  return is_signed_by(token, key);
}

void Registrar::forget(const ScopeId& scope, const ProvenDevice& device) {
  if (const auto& challenge = device.operation_.challenge_id)
    challenges_.remove(scope, device.registration(), *challenge);
}

// The enrollment or group under which the claim is proved, if it stands.
Result<Statement> Registrar::proven_statement(RecordsView& records, const Claim& claim,
                                              const std::optional<Device>& device, EkEndorsements& endorsements) {
  if (claim.token) {
    TRY_STATUS(check_token(claim, clock_.now()));
    TRY(const auto proof, find_signed_challenge(claim));
    if (proof) {
      TRY(auto place, place_of_challenge(records, claim, proof->challenge, endorsements));
      TRY_STATUS(check_enabled(place.statement));
      // It proved to be a TPM that may have this ID, and not to be the one that has it.
      if (!device || device->ek_name != proof->challenge.ek_name) return not_registered();
      return std::move(place.statement);
    }
    // The result of an operation that has ended can still be fetched, and so can this.
    std::optional<Operation> last;
    if (device) {
      TRY(last, records.find_operation(claim.scope, device->operation_id));
    }
    if (last && last->challenge_id && is_live(*last)) {
      TRY(const bool is_signed, is_signed_by_operation(*claim.token, *last));
      if (is_signed) return statement_of_last(records, *last);
    }
  }
  return statement_of_credential(records, claim);
}

// Under an enrollment that was made anew the last owner's token is one of a stranger: he must not see by another answer
// when the next owner's device comes.
Result<Statement> Registrar::statement_of_last(RecordsView& records, const Operation& last) const {
  TRY(auto statement, find_statement(records, last.scope, last.registration_id, last.group, last.enrollment_id));
  if (statement) return *std::move(statement);
  TRY(const auto own, records.find_enrollment(last.scope, last.registration_id));
  return own ? unknown_challenge() : not_enrolled();
}

Result<Device> Registrar::lookup(RecordsView& records, const Claim& claim, EkEndorsements& endorsements) {
  TRY(auto device, records.find_device_of(claim.scope, claim.registration));
  TRY(const auto statement, proven_statement(records, claim, device, endorsements));
  TRY_STATUS(may_provision(records, statement));
  if (!device || device->enrollment_id != statement.enrollment_id) return not_registered();
  return *std::move(device);
}

}  // namespace warifu::provisioning
