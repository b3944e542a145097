// What a proof leads to: an operation, an assignment, an end.
#include "provisioning/registrar.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/envelope.h"
#include "provisioning/allocation.h"
#include "provisioning/duplicates.h"
#include "provisioning/sealed_keys.h"
#include "tpm_types/authentication_key.h"

namespace warifu::provisioning {
namespace {

constexpr std::size_t kHubKeySize = 32;  // HMAC-SHA256

using Opened = std::variant<Uuid, RecordedRefusal>;

Error superseded() {
  return {ErrorKind::kRefused, "operation.superseded", "a later registration took the place of this operation"};
}

Error unknown_operation() {
  return {ErrorKind::kNotFound, "operation.unknown", "there is no such operation for this registration"};
}

Error changed() {
  return {ErrorKind::kUnavailable, "enrollment.changed", "the enrollment was changed just now: ask again"};
}

// An enrollment that is gone took with it what was proved under it.
Error void_proof(const Operation& operation) {
  if (!operation.challenge_id)
    return {ErrorKind::kNotFound, "enrollment.unknown", "this registration ID is not enrolled in this scope"};
  return {ErrorKind::kUnauthenticated, "challenge.unknown",
          "no live challenge fits this token: ask for a new one by registering without Authorization"};
}

std::string device_text(const DeviceId& id) {
  return fmt::format("device:{}", id.text());
}

bool keeps_its_hub(const Statement& statement, const std::optional<Device>& before, bool is_sticky) {
  if (!before || before->enrollment_id != statement.enrollment_id) return false;
  const auto policy = statement.terms.reprovision.value_or(is_sticky ? Reprovision::kNever : Reprovision::kMigrate);
  return policy == Reprovision::kNever;
}

// The other two mean that data went, or did not go, to another hub (Azure's SDKs): where the hub is kept, the first
// assignment still stands.
Substatus substatus_of(const Statement& statement, const std::optional<Device>& before, bool ek_changed,
                       bool keeps_hub) {
  if (!before || ek_changed || keeps_hub || !is_registered(*before)) return Substatus::kInitialAssignment;
  return statement.terms.reprovision == Reprovision::kReset ? Substatus::kDeviceDataReset
                                                            : Substatus::kDeviceDataMigrated;
}

Status check_device_id(RecordsView& records, const Statement& statement, const std::optional<Device>& before) {
  if (before && before->device_id == statement.device_id) return {};
  TRY(const auto holder, records.find_device(statement.scope, statement.device_id));
  if (!holder && !before) return {};
  return Error{ErrorKind::kRefused, "device.id_taken",
               before ? fmt::format("this registration has the device {}, and its enrollment now says {}",
                                    before->device_id.text(), statement.device_id.text())
                      : fmt::format("the device {} belongs to the registration {}", statement.device_id.text(),
                                    holder->registration_id.text())};
}

// What can never be assigned waits no longer, and its wish stands in nobody's way.
Status give_up(Records& records, const Operation& waiting, Timestamp at) {
  TRY_STATUS(records.end_operation(waiting.scope, waiting.operation_id, at));
  TRY(const auto wish, records.find_approval(waiting.scope, waiting.registration_id));
  if (!wish || wish->ek_name != waiting.ek_name) return {};
  return withdraw(records, *wish, at);
}

}  // namespace

Status Registrar::may_provision(RecordsView& records, const Statement& statement) const {
  TRY_STATUS(check_enabled(statement));
  TRY(const auto device, records.find_device_of(statement.scope, statement.registration));
  return may(device ? device->standing : lifecycle::Standing{}, lifecycle::Action::kProvision);
}

Status Registrar::may_ask(RecordsView& records, const Statement& statement, ByteView ek_name) const {
  TRY_STATUS(check_enabled(statement));
  TRY(const auto device, records.find_device_of(statement.scope, statement.registration));
  if (!device || !std::ranges::equal(device->ek_name, ek_name)) return {};
  return may(device->standing, lifecycle::Action::kProvision);
}

Result<Statement> Registrar::find_proved(RecordsView& records, const Operation& operation) const {
  TRY(auto statement,
      find_statement(records, operation.scope, operation.registration_id, operation.group, operation.enrollment_id));
  if (!statement) return void_proof(operation);
  return *std::move(statement);
}

Result<Statement> Registrar::statement_that_stands(RecordsView& records, const Operation& operation) const {
  TRY(auto statement, find_proved(records, operation));
  TRY_STATUS(may_provision(records, statement));
  return statement;
}

// What the result of an operation rests on.
Result<Statement> Registrar::statement_of_result(RecordsView& records, const Operation& operation) const {
  TRY(auto statement,
      find_statement(records, operation.scope, operation.registration_id, operation.group, operation.enrollment_id));
  if (statement) return *std::move(statement);
  TRY(const auto own, records.find_enrollment(operation.scope, operation.registration_id));
  if (own) return superseded();
  return Error{ErrorKind::kNotFound, "enrollment.unknown", "this registration ID is not enrolled in this scope"};
}

Result<std::optional<Operation>> Registrar::find_same(RecordsView& records, const Operation& operation) const {
  if (operation.challenge_id) return records.find_operation_of_challenge(operation.scope, *operation.challenge_id);
  TRY(auto open, records.find_open_operation(operation.scope, operation.registration_id, Operation::State::kAssigned));
  // A certificate is the same proof for years, and the result of an operation can be fetched for an hour.
  const bool is_same = open && is_live(*open) && open->enrollment_id == operation.enrollment_id &&
                       open->token_digest == operation.token_digest;
  return is_same ? std::move(open) : std::optional<Operation>();
}

Result<Opened> Registrar::open_operation(Records& records, audit::Trail& trail, const ProvenDevice& proven) const {
  const Operation& wanted = proven.operation_;
  TRY(const auto same, find_same(records, wanted));
  if (same && same->ended_at) return void_proof(wanted);
  if (same) return Opened(same->operation_id);

  TRY(const auto statement, find_proved(records, wanted));
  // What was proved, was proved by what stood then: a key that was changed since must open nothing.
  if (statement.revision != proven.revision_) return changed();
  TRY_STATUS(check_enabled(statement));
  TRY(const auto before, records.find_device_of(wanted.scope, wanted.registration_id));
  // Before anything is told of the device that is there.
  TRY(auto rival, refuse_uncertified_rival(records, trail, {wanted, proven.srk_name_, before}, clock_.now()));
  if (rival) return Opened(RecordedRefusal{*std::move(rival)});
  TRY_STATUS(may_provision(records, statement));
  TRY_STATUS(check_device_id(records, statement, before));
  if (wanted.mechanism == Mechanism::kTpm) {
    TRY(auto held, hold_tpm(records, trail, statement, proven, before));
    if (held) return *std::move(held);
  } else {
    TRY(auto refusal, refuse_bound_id(records, trail, wanted, clock_.now()));
    if (refusal) return Opened(RecordedRefusal{*std::move(refusal)});
  }
  TRY_STATUS(end_replaced_operations(records, wanted, wanted.created_at));
  TRY(const auto operation, assign(records, trail, statement, before, proven));
  TRY_STATUS(records.insert_operation(operation));
  return Opened(operation.operation_id);
}

Result<RecordedRefusal> Registrar::keep_refusal(Records& records, Operation operation, Error refusal) const {
  operation.state = Operation::State::kWaiting;  // nothing was assigned
  operation.ended_at = operation.created_at;
  TRY_STATUS(records.insert_operation(operation));
  return RecordedRefusal{std::move(refusal)};
}

// Writes the device and gives its operation, which the caller writes.
Result<Operation> Registrar::assign(Records& records, audit::Trail& trail, const Statement& statement,
                                    const std::optional<Device>& before, const ProvenDevice& proven) const {
  Operation operation = proven.operation_;
  operation.state = Operation::State::kAssigned;
  const bool is_tpm = operation.mechanism == Mechanism::kTpm;
  const bool ek_changed = before && before->ek_name != operation.ek_name;
  const bool srk_changed = before && before->srk_name != proven.srk_name_;
  const bool keeps_hub = keeps_its_hub(statement, before, proven.is_sticky_);
  std::string hub;
  if (keeps_hub) {
    hub = before->assigned_hub;
  } else {
    TRY(hub, allocate(statement.terms, options_.hubs, statement.registration));
  }
  Device device{.scope = statement.scope,
                .device_id = statement.device_id,
                .registration_id = statement.registration,
                .enrollment_id = statement.enrollment_id,
                .group = statement.group,
                .mechanism = operation.mechanism,
                .operation_id = operation.operation_id,
                .standing = {lifecycle::State::kProvisioned, lifecycle::Hold::kNone},
                .ek_name = operation.ek_name,
                .srk_name = proven.srk_name_,
                .certificate_sha256 = proven.certificate_sha256_,
                .assigned_hub = std::move(hub),
                .sealed_hub_key = {},
                .key_derived_for = proven.key_derived_for_,
                .created_at = before ? before->created_at : operation.created_at,
                .updated_at = clock_.now()};
  if (is_tpm) {
    device.sealed_hub_key = seal_hub_key(envelope_key_, device.scope, device.device_id,
                                         SecretBytes::random(entropy_, kHubKeySize), entropy_);
    TRY_STATUS(settle_tpm(records, statement, {operation, proven.srk_name_, before}, operation.created_at));
  }
  TRY_STATUS(records.put_device(device));
  operation.substatus = substatus_of(statement, before, ek_changed, keeps_hub);
  const std::string who = device_text(device.device_id);
  TRY_STATUS(trail.record(
      device.scope,
      {who, "device.provision", who,
       fmt::format(
           R"({{"operation_id":"{}","mechanism":"{}","group":"{}","assigned_hub":"{}","srk_name":"{}","ek_changed":{},"srk_changed":{}}})",
           operation.operation_id.text(), to_string(device.mechanism), device.group ? device.group->text() : "",
           device.assigned_hub, to_hex(device.srk_name), ek_changed, srk_changed)}));
  return operation;
}

Result<std::optional<RecordedRefusal>> Registrar::resume(Records& records, audit::Trail& trail,
                                                         const ProvenDevice& proven) const {
  const std::optional<RecordedRefusal> none;
  const Operation& waiting = proven.operation_;
  TRY(const auto operation, records.find_operation(waiting.scope, waiting.operation_id));
  if (!operation || operation->ended_at) return superseded();
  if (operation->state == Operation::State::kAssigned) return none;
  TRY(const auto statement, statement_that_stands(records, waiting));
  if (statement.revision != proven.revision_) return changed();
  TRY(const auto before, records.find_device_of(waiting.scope, waiting.registration_id));
  TRY_STATUS(check_device_id(records, statement, before));
  const TpmSighting sighting{waiting, proven.srk_name_, before};
  // It may have come under another registration while it waited, and another device under this one.
  TRY(auto refusal, refuse_bound_ek(records, trail, sighting, proven.is_certified_, clock_.now()));
  if (!refusal) {
    TRY(refusal, refuse_uncertified_rival(records, trail, sighting, clock_.now()));
  }
  if (refusal) {
    TRY_STATUS(give_up(records, waiting, clock_.now()));
    return std::optional(RecordedRefusal{*std::move(refusal)});
  }
  TRY(const bool waits, needs_approval(records, statement.terms, sighting));
  if (waits) return none;
  TRY(const auto shortfall, find_shortfall_of(records, statement, waiting, before));
  if (shortfall) return none;
  TRY(const auto assigned, assign(records, trail, statement, before, proven));
  TRY_STATUS(end_replaced_operations(records, assigned, clock_.now()));
  TRY_STATUS(records.assign_operation(assigned.scope, assigned.operation_id, assigned.substatus));
  return none;
}

Result<Progress> Registrar::progress(RecordsView& records, const Claim& claim, const Uuid& operation_id,
                                     EkEndorsements& endorsements) {
  if (claim.token) TRY_STATUS(check_resource(*claim.token, claim.scope, claim.registration));
  TRY(auto operation, records.find_operation(claim.scope, operation_id));
  if (!operation || operation->registration_id != claim.registration || !is_live(*operation))
    return unknown_operation();
  TRY_STATUS(check_poll(records, claim, *operation));
  TRY(const auto statement, statement_of_result(records, *operation));
  TRY_STATUS(may_provision(records, statement));

  if (operation->state == Operation::State::kWaiting) {
    if (operation->ended_at) return superseded();
    TRY(const auto srk, tpm::SrkPublic::from_tpm2b(operation->srk_public));
    const Bytes srk_name = to_bytes(srk.name().bytes());
    TRY(const auto before, records.find_device_of(claim.scope, claim.registration));
    TRY(const bool waits, needs_approval(records, statement.terms, {*operation, srk_name, before}));
    TRY(const auto wish, records.find_approval(claim.scope, claim.registration));
    // While it waited for an attestation another device came under this ID: it has to ask for it.
    if (waits && (!wish || !is_wish_of(*wish, *operation))) return superseded();
    TRY(auto shortfall, find_shortfall_of(records, statement, *operation, before));
    if (waits || shortfall) return Progress(Waiting{*std::move(operation), waits, std::move(shortfall)});
    TRY(auto proven, prove_again(records, claim, *operation, endorsements));
    return Progress(Waiting{*std::move(operation), false, std::nullopt, std::move(proven)});
  }
  TRY(auto device, assigned_device(records, *operation));
  Assignment assignment{*std::move(operation), std::move(device), {}, std::nullopt};
  if (assignment.operation.mechanism == Mechanism::kTpm) {
    TRY(assignment.authentication_key, authentication_key(records, assignment.operation, assignment.device));
  } else if (assignment.operation.mechanism == Mechanism::kX509) {
    TRY(const auto leaf, crypto::Certificate::from_der(claim.chain->front()));
    assignment.certificate = info_of(leaf);
  }
  return Progress(std::move(assignment));
}

// What opened the operation must be shown again. A token that lives for seconds is made once and used for every poll
// (Azure IoT Edge does so): the one that opened the operation stays good for it past its end.
Status Registrar::check_poll(RecordsView& records, const Claim& claim, const Operation& operation) {
  if (claim.token && token_digest(*claim.token) != operation.token_digest)
    TRY_STATUS(check_expiry(*claim.token, clock_.now()));
  if (operation.mechanism != Mechanism::kTpm) {
    TRY(const auto statement, statement_of_credential(records, claim));
    if (statement.enrollment_id != operation.enrollment_id) return superseded();
    return {};
  }
  if (!claim.token)
    return Error{ErrorKind::kUnauthenticated, "token.missing", "this request needs a SAS token in Authorization"};
  TRY(const bool is_signed, is_signed_by_operation(*claim.token, operation));
  if (is_signed) return {};
  return Error{ErrorKind::kUnauthenticated, "token.signature", "the token is not signed by this operation's challenge"};
}

Result<Bytes> Registrar::authentication_key(RecordsView& records, const Operation& operation,
                                            const Device& device) const {
  TRY(const auto own, records.find_enrollment(operation.scope, operation.registration_id));
  Bytes ek_public;
  if (own && !operation.group) {
    const auto* tpm = std::get_if<TpmAttestation>(&own->attestation);
    // The operator may have put another EK in its place.
    if (tpm == nullptr || tpm->ek_name != operation.ek_name) return superseded();
    ek_public = tpm->ek_public;
  } else {
    TRY(const auto listed, records.find_group_ek(operation.scope, operation.ek_name));
    if (!listed || listed->enrollment_id != operation.enrollment_id || listed->is_barred) return superseded();
    ek_public = listed->ek_public;
  }
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(ek_public));
  TRY(const auto srk, tpm::SrkPublic::from_tpm2b(operation.srk_public));
  TRY(const auto hub_key, open_hub_key(envelope_key_, operation.scope, device.device_id, device.sealed_hub_key));
  return tpm::make_authentication_key(ek, srk, hub_key, entropy_);
}

Result<Device> Registrar::assigned_device(RecordsView& records, const Operation& operation) const {
  TRY(auto device, records.find_device_of(operation.scope, operation.registration_id));
  if (!device || device->operation_id != operation.operation_id || device->enrollment_id != operation.enrollment_id)
    return superseded();
  // An enrollment of its own came and went meanwhile, and took the key with it.
  if (operation.mechanism == Mechanism::kTpm && device->sealed_hub_key.empty()) return superseded();
  TRY_STATUS(may(device->standing, lifecycle::Action::kCollectAssignment));
  return *std::move(device);
}

Status Registrar::end_operation(Records& records, audit::Trail& trail, const Assignment& assignment) const {
  const Operation& operation = assignment.operation;
  // Asked again: an operator, or the device itself, may have changed it since the result was read.
  TRY(const auto statement, statement_of_result(records, operation));
  TRY_STATUS(may_provision(records, statement));
  TRY_STATUS(assigned_device(records, operation));
  TRY_STATUS(records.end_operation(operation.scope, operation.operation_id, clock_.now()));
  const std::string device = device_text(assignment.device.device_id);
  return trail.record(operation.scope, {device, "assignment.collect", device,
                                        fmt::format(R"({{"operation_id":"{}"}})", operation.operation_id.text())});
}

Result<std::size_t> Registrar::purge(Records& records, audit::Trail& trail, const ScopeId& scope) {
  const Timestamp now = clock_.now();
  group_keys_.purge(now);
  challenges_.purge(now);
  TRY(const std::size_t operations, records.purge_operations(scope, now - options_.operation_lifetime, kPurgeMax));
  TRY(const std::size_t eks, records.purge_group_eks(scope, kPurgeMax));
  if (operations > 0)
    TRY_STATUS(trail.record(
        scope, {"system", "operation.purge", "operations", fmt::format(R"({{"removed":{}}})", operations)}));
  if (eks > 0)
    TRY_STATUS(trail.record(scope, {"system", "group-ek.purge", "group-eks", fmt::format(R"({{"removed":{}}})", eks)}));
  return std::max(operations, eks);
}

bool Registrar::is_live(const Operation& operation) const {
  return operation.created_at + options_.operation_lifetime > clock_.now();
}

}  // namespace warifu::provisioning
