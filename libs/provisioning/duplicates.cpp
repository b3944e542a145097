#include "provisioning/duplicates.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "provisioning/limits.h"
#include "provisioning/tpm_place.h"
#include "tpm_types/storage_key.h"

namespace warifu::provisioning {
namespace {

// Enough to tell an operator which; there should be none.
constexpr std::size_t kOthersShownMax = 5;

Status raise(Records& records, const Operation& operation, std::string kind, std::string subject, std::string detail,
             Timestamp at) {
  return records.raise_alert({.scope = operation.scope,
                              .kind = std::move(kind),
                              .registration_id = operation.registration_id,
                              .subject = std::move(subject),
                              .detail = std::move(detail),
                              .count = 1,
                              .first_at = at,
                              .last_at = at,
                              .acknowledged_at = std::nullopt});
}

Status raise_duplicate_ek(Records& records, const Operation& operation, const RegistrationId& other, Timestamp at) {
  return raise(records, operation, "ek.duplicate", other.text(),
               fmt::format("the TPM with the EK {} proved itself as {}, and is known as {} too: one TPM is one device",
                           to_hex(operation.ek_name), operation.registration_id.text(), other.text()),
               at);
}

Result<std::vector<RegistrationId>> other_ids_of_ek(RecordsView& records, const Operation& operation) {
  TRY(auto ids, records.find_enrollments_of_ek(operation.scope, operation.ek_name, kOthersShownMax));
  TRY(auto devices, records.find_devices_of_ek(operation.scope, operation.ek_name, kOthersShownMax));
  std::ranges::move(devices, std::back_inserter(ids));
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());  // clang 14 cannot compile std::ranges::unique
  std::erase(ids, operation.registration_id);
  return ids;
}

// The EK that the registration is bound to, if its group still lists it.
Result<std::optional<GroupEk>> find_standing_bond(RecordsView& records, const ScopeId& scope,
                                                  const RegistrationId& registration) {
  TRY(auto bound, records.find_bound_ek(scope, registration));
  if (!bound) return std::optional<GroupEk>();
  TRY(const auto group, records.find_group(scope, bound->group));
  const bool stands = group && group->enrollment_id == bound->enrollment_id;
  return stands ? std::move(bound) : std::optional<GroupEk>();
}

// Whether the device of a group comes under a registration that is another's: another EK is bound to it, in whichever
// group, or what it came under before still stands. A naming with a wildcard lets a TPM choose its ID, and must not let
// it take one.
Result<bool> is_anothers(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                         ByteView ek_name, const std::optional<Device>& before) {
  TRY(const auto bound, find_standing_bond(records, scope, registration));
  if (bound && !std::ranges::equal(bound->ek_name, ek_name)) return true;
  const bool was_tpm_of_group = before && before->group && before->mechanism == Mechanism::kTpm;  // then it was bound
  if (!before || was_tpm_of_group || std::ranges::equal(before->ek_name, ek_name)) return false;
  TRY(const auto standing,
      find_statement(records, before->scope, before->registration_id, before->group, before->enrollment_id));
  return standing.has_value();
}

// Whether another device has the registration and goes on under it. An EK that is barred keeps its ID from others until
// an operator gives it to one of them, and does not go on.
Result<bool> has_going_device(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                              ByteView ek_name, const std::optional<Device>& before) {
  TRY(const auto bound, find_standing_bond(records, scope, registration));
  if (bound && bound->is_barred) return false;
  return is_anothers(records, scope, registration, ek_name, before);
}

Result<bool> takes_over(RecordsView& records, const TpmSighting& sighting) {
  const Operation& operation = sighting.operation;
  if (!operation.group) return false;  // an enrollment of its own names the EK
  return is_anothers(records, operation.scope, operation.registration_id, operation.ek_name, sighting.before);
}

bool takes_by_authority(const EnrollmentGroup& group) {
  return std::holds_alternative<EkAuthorityAttestation>(group.attestation);
}

// A group by authorities gets its EKs by the operations of their devices.
GroupEk ek_of(const Operation& operation, Timestamp at) {
  return {.scope = operation.scope,
          .ek_name = operation.ek_name,
          .ek_public = operation.ek_public,
          .group = *operation.group,
          .enrollment_id = operation.enrollment_id,
          .registration_id = std::nullopt,
          .created_at = at};
}

// Whether that EK may come under that registration: an enrollment of its own names it, or a group has it.
Result<bool> may_come(RecordsView& records, const Approval& wish) {
  TRY(const auto own, records.find_enrollment(wish.scope, wish.registration_id));
  if (own) {
    const auto* tpm = std::get_if<TpmAttestation>(&own->attestation);
    return tpm != nullptr && tpm->ek_name == wish.ek_name;
  }
  TRY(const auto listed, records.find_group_ek(wish.scope, wish.ek_name));
  if (listed) {
    TRY(const auto group, records.find_group(wish.scope, listed->group));
    if (group && group->enrollment_id == listed->enrollment_id) return !listed->is_barred;
  }
  // A group by authorities has an uncertified EK when an operator agreed to it, and not before.
  if (!wish.group) return false;
  TRY(const auto group, records.find_group(wish.scope, *wish.group));
  return group && group->enrollment_id == wish.enrollment_id && takes_by_authority(*group);
}

// Whether the EK may come although no row of its group has it. It is as a proof that was never given: nothing is kept.
Status check_unlisted(RecordsView& records, const Operation& operation, const std::optional<GroupEk>& listed,
                      bool is_certified) {
  TRY(const auto group, records.find_group(operation.scope, *operation.group));
  const bool may_be_new = group && takes_by_authority(*group) && (is_certified || operation.is_uncertified);
  if (!may_be_new)
    return Error{ErrorKind::kNotFound, "enrollment.unknown", "the endorsement key was taken off the list of its group"};
  if (!listed) return {};
  TRY(const auto other, records.find_group(operation.scope, listed->group));
  if (!other || other->enrollment_id != listed->enrollment_id) return {};
  return Error{ErrorKind::kUnavailable, "enrollment.changed", "the TPM came to another group just now: ask again"};
}

Error elsewhere(const Approval& approval, std::string_view where) {
  return {ErrorKind::kConflict, "approval.ek_elsewhere",
          fmt::format("the EK {} cannot be approved as {} any more, as {}: reject it", to_hex(approval.ek_name),
                      approval.registration_id.text(), where)};
}

// Whether such an alert waits for an operator's look already.
Result<bool> is_told(RecordsView& records, const Operation& operation, std::string_view kind,
                     const std::string& subject) {
  TRY(const auto alerts, records.list_alerts_of(operation.scope, operation.registration_id));
  return std::ranges::any_of(alerts, [&](const Alert& alert) {
    return alert.kind == kind && alert.subject == subject && !alert.acknowledged_at;
  });
}

Status record_refusal(audit::Trail& trail, const Operation& operation, std::string detail) {
  return trail.record(operation.scope,
                      {fmt::format("device:{}", operation.registration_id.text()), "enrollment.refuse",
                       fmt::format("registration:{}", operation.registration_id.text()), std::move(detail)});
}

bool has_another_srk(const std::optional<Device>& before, const Bytes& srk_name) {
  return before && before->mechanism == Mechanism::kTpm && !before->srk_name.empty() && before->srk_name != srk_name;
}

}  // namespace

Result<std::optional<Error>> refuse_bound_ek(Records& records, audit::Trail& trail, const TpmSighting& sighting,
                                             bool is_certified, Timestamp at) {
  const Operation& operation = sighting.operation;
  if (!operation.group) return std::optional<Error>();
  TRY(const auto listed, records.find_group_ek(operation.scope, operation.ek_name));
  if (!listed || listed->enrollment_id != operation.enrollment_id) {
    TRY_STATUS(check_unlisted(records, operation, listed, is_certified));
    return std::optional<Error>();
  }
  if (listed->is_barred) return barred(*listed);
  if (!listed->registration_id || *listed->registration_id == operation.registration_id) return std::optional<Error>();
  TRY_STATUS(raise_duplicate_ek(records, operation, *listed->registration_id, at));
  TRY_STATUS(record_refusal(trail, operation,
                            fmt::format(R"({{"code":"enrollment.bound","ek_name":"{}","bound_to":"{}"}})",
                                        to_hex(operation.ek_name), listed->registration_id->text())));
  return std::optional(Error{.kind = ErrorKind::kRefused,
                             .code = "enrollment.bound",
                             .message = "this TPM came under another registration ID first, and stays with it",
                             .operator_detail = fmt::format("the EK {} belongs to {}", to_hex(operation.ek_name),
                                                            listed->registration_id->text())});
}

Result<std::optional<Error>> refuse_bound_id(Records& records, audit::Trail& trail, const Operation& operation,
                                             Timestamp at) {
  if (!operation.group) return std::optional<Error>();  // an operator named this very ID
  TRY(const auto bound, find_standing_bond(records, operation.scope, operation.registration_id));
  if (!bound) return std::optional<Error>();
  const std::string ek = to_hex(bound->ek_name);
  // What has a certificate or a key comes again and again with the same proof: it is told and written down once, and
  // again when an operator has looked at it.
  TRY(const bool is_known, is_told(records, operation, "ek.bound", ek));
  if (!is_known) {
    TRY_STATUS(raise(records, operation, "ek.bound", ek,
                     fmt::format("a device of the group {} proved itself as {} by {}, and that ID belongs to the TPM "
                                 "with the EK {} of the group {}",
                                 operation.group->text(), operation.registration_id.text(),
                                 to_string(operation.mechanism), ek, bound->group.text()),
                     at));
    TRY_STATUS(record_refusal(trail, operation,
                              fmt::format(R"({{"code":"enrollment.id_bound","mechanism":"{}","bound_to":"{}"}})",
                                          to_string(operation.mechanism), ek)));
  }
  return std::optional(
      Error{.kind = ErrorKind::kRefused,
            .code = "enrollment.id_bound",
            .message = "this registration ID belongs to a TPM, and goes to nothing else",
            .operator_detail = fmt::format("it belongs to the EK {} of the group {}", ek, bound->group.text())});
}

Result<std::optional<Error>> refuse_second_wish(Records& records, audit::Trail& trail, const TpmSighting& sighting,
                                                Timestamp at) {
  const Operation& operation = sighting.operation;
  TRY(const auto first, records.find_approval(operation.scope, operation.registration_id));
  if (!first || first->ek_name == operation.ek_name) return std::optional<Error>();
  TRY(const bool stands, may_come(records, *first));
  if (!stands) return std::optional<Error>();
  if (first->is_uncertified && !first->approved_at && !operation.is_uncertified) return std::optional<Error>();
  const std::string ek = to_hex(operation.ek_name);
  TRY_STATUS(raise(records, operation, "ek.contended", ek,
                   fmt::format("the TPM with the EK {} wants to be {} too, while the one with the EK {} waits for an "
                               "approval: the first keeps its place until it is approved and assigned, or rejected",
                               ek, operation.registration_id.text(), to_hex(first->ek_name)),
                   at));
  TRY_STATUS(record_refusal(
      trail, operation,
      fmt::format(R"({{"code":"approval.pending","ek_name":"{}","waiting":"{}"}})", ek, to_hex(first->ek_name))));
  return std::optional(
      Error{.kind = ErrorKind::kRefused,
            .code = "approval.pending",
            .message = "another device waits for an approval under this registration ID",
            .operator_detail = fmt::format("the EK {} waits, this is the EK {}", to_hex(first->ek_name), ek)});
}

Result<std::optional<Error>> refuse_uncertified_rival(Records& records, audit::Trail& trail,
                                                      const TpmSighting& sighting, Timestamp at) {
  const Operation& operation = sighting.operation;
  if (!operation.is_uncertified) return std::optional<Error>();
  TRY(const bool has_device,
      has_going_device(records, operation.scope, operation.registration_id, operation.ek_name, sighting.before));
  TRY(const auto first, records.find_approval(operation.scope, operation.registration_id));
  TRY(const bool has_wish,
      first && first->ek_name != operation.ek_name ? may_come(records, *first) : Result<bool>(false));
  if (!has_device && !has_wish) return std::optional<Error>();
  const std::string subject = "uncertified";
  const std::string ek = to_hex(operation.ek_name);
  const std::string_view code = has_device ? "enrollment.id_bound" : "approval.pending";
  TRY(const bool is_known, is_told(records, operation, "ek.contended", subject));
  if (!is_known) {
    TRY_STATUS(raise(
        records, operation, "ek.contended", subject,
        fmt::format("a TPM whose EK no accepted certificate vouches for, {}, wants to be {}, which {}: it "
                    "is refused, and so is each other one. What comes next is told when you have "
                    "acknowledged this",
                    ek, operation.registration_id.text(), has_device ? "is another device's" : "another TPM waits for"),
        at));
    TRY_STATUS(record_refusal(trail, operation, fmt::format(R"({{"code":"{}","ek_name":"{}"}})", code, ek)));
  }
  return std::optional(Error{.kind = ErrorKind::kRefused,
                             .code = code,
                             .message = has_device
                                            ? "this registration ID belongs to another device, and goes to nothing else"
                                            : "another device waits for an approval under this registration ID",
                             .operator_detail = fmt::format("no accepted certificate vouches for its EK {}", ek)});
}

Status end_replaced_operations(Records& records, const Operation& operation, Timestamp at, bool needs_approval) {
  const auto& [scope, registration] = std::tie(operation.scope, operation.registration_id);
  TRY(const auto assigned, records.find_open_operation(scope, registration, Operation::State::kAssigned));
  const bool is_assigned = operation.state == Operation::State::kAssigned;
  if (assigned && assigned->operation_id != operation.operation_id &&
      (is_assigned || assigned->ek_name == operation.ek_name))
    TRY_STATUS(records.end_operation(scope, assigned->operation_id, at));
  TRY(const auto wish, records.find_approval(scope, registration));
  TRY(const auto waiting, records.list_waiting_operations(scope, registration));
  for (const Operation& open : waiting) {
    const bool is_same_wait = !is_assigned && needs_approval == (wish && wish->ek_name == open.ek_name);
    if (open.operation_id != operation.operation_id && (is_same_wait || open.ek_name == operation.ek_name))
      TRY_STATUS(records.end_operation(scope, open.operation_id, at));
  }
  return {};
}

Status raise_duplicate_alerts(Records& records, const TpmSighting& sighting, Timestamp at) {
  const Operation& operation = sighting.operation;
  TRY(const auto others, other_ids_of_ek(records, operation));
  for (const auto& other : others)
    TRY_STATUS(raise_duplicate_ek(records, operation, other, at));

  // Of a TPM that nobody vouches for, and that is no device yet, another SRK says nothing.
  if (operation.is_uncertified && (!sighting.before || sighting.before->ek_name != operation.ek_name)) return {};
  const std::string srk = to_hex(sighting.srk_name);
  TRY(auto open_ones, records.list_waiting_operations(operation.scope, operation.registration_id));
  TRY(auto assigned,
      records.find_open_operation(operation.scope, operation.registration_id, Operation::State::kAssigned));
  if (assigned) open_ones.push_back(*std::move(assigned));
  for (const Operation& open : open_ones) {
    if (open.ek_name != operation.ek_name || open.srk_public == operation.srk_public) continue;
    TRY_STATUS(raise(records, operation, "srk.overlap", srk,
                     fmt::format("{} began a registration with the SRK {} while one with another SRK was open: two "
                                 "machines may share the TPM's keys",
                                 operation.registration_id.text(), srk),
                     at));
    break;
  }
  if (!has_another_srk(sighting.before, sighting.srk_name)) return {};
  TRY(const bool is_back, records.was_srk_replaced(operation.scope, operation.registration_id, sighting.srk_name));
  if (!is_back) return {};
  return raise(
      records, operation, "srk.returned", srk,
      fmt::format("the SRK {} of {} had been replaced by another and is back: a copy of the TPM's state may be "
                  "in use, or an old one was put back",
                  srk, operation.registration_id.text()),
      at);
}

bool is_wish_of(const Approval& wish, const Operation& operation) {
  // Of a group with a list a wish names no generation if a program wrote it that knew none.
  const bool is_of_generation =
      operation.group ? !wish.enrollment_id || *wish.enrollment_id == operation.enrollment_id : !wish.enrollment_id;
  return wish.ek_name == operation.ek_name && is_of_generation && (wish.is_uncertified || !operation.is_uncertified);
}

Result<bool> needs_approval(RecordsView& records, const Terms& terms, const TpmSighting& sighting) {
  const Operation& operation = sighting.operation;
  TRY(const bool ek_moves, takes_over(records, sighting));
  if (!ek_moves && !operation.is_uncertified &&
      !(terms.approve_srk_changes && has_another_srk(sighting.before, sighting.srk_name)))
    return false;
  TRY(const auto approval, records.find_approval(operation.scope, operation.registration_id));
  const bool is_approved =
      approval && approval->approved_at && is_wish_of(*approval, operation) && approval->srk_name == sighting.srk_name;
  return !is_approved;
}

Status raise_insufficient_attestation(Records& records, audit::Trail& trail, const Operation& operation,
                                      const AttestationShortfall& shortfall, Timestamp at) {
  constexpr std::string_view kSubject = "attestation";
  TRY(const bool is_known, is_told(records, operation, kInsufficient, std::string(kSubject)));
  if (is_known) return {};
  TRY_STATUS(raise(records, operation, std::string(kInsufficient), std::string(kSubject),
                   fmt::format("{} waits for its assignment: {} ({})", operation.registration_id.text(),
                               shortfall.message, shortfall.operator_detail),
                   at));
  return trail.record(
      operation.scope,
      {"system", "alert.raise", fmt::format("registration:{}", operation.registration_id.text()),
       fmt::format(R"({{"kind":"{}","operation_id":"{}"}})", kInsufficient, operation.operation_id.text())});
}

Status check_attests_for_itself(RecordsView& records, const Statement& statement, ByteView ek_name,
                                const std::optional<Device>& before) {
  if (!statement.group) return {};
  TRY(const bool is_of_another, is_anothers(records, statement.scope, statement.registration, ek_name, before));
  if (!is_of_another) return {};
  TRY(const auto wish, records.find_approval(statement.scope, statement.registration));
  const bool is_of_group = wish && (!wish->enrollment_id || *wish->enrollment_id == statement.enrollment_id);
  if (is_of_group && wish->approved_at && std::ranges::equal(wish->ek_name, ek_name)) return {};
  return Error{.kind = ErrorKind::kRefused,
               .code = "approval.missing",
               .message = "this registration ID belongs to another device: an operator has to agree first",
               .operator_detail = fmt::format("the device has the EK {}", to_hex(ek_name))};
}

Status keep_certified_ek(Records& records, const Operation& operation, Timestamp at) {
  TRY(const auto listed, records.find_group_ek(operation.scope, operation.ek_name));
  if (listed && listed->enrollment_id == operation.enrollment_id) return {};
  return records.put_group_ek(ek_of(operation, at));
}

Status keep_approved_ek(Records& records, const Approval& approval, Timestamp at) {
  if (!approval.is_uncertified || !approval.group || !approval.enrollment_id) return {};
  TRY(const auto group, records.find_group(approval.scope, *approval.group));
  const bool stands = group && group->enrollment_id == *approval.enrollment_id && takes_by_authority(*group);
  TRY(auto listed, records.find_group_ek(approval.scope, approval.ek_name));
  if (!stands) return elsewhere(approval, "its group is gone or was made anew");
  if (listed && listed->enrollment_id != *approval.enrollment_id) {
    TRY(const auto other, records.find_group(approval.scope, listed->group));
    if (other && other->enrollment_id == listed->enrollment_id)
      return elsewhere(approval, fmt::format("the group {} has it", listed->group.text()));
    listed.reset();
  }
  if (listed && listed->is_barred) return elsewhere(approval, "it was taken off its group");
  if (listed && listed->registration_id && *listed->registration_id != approval.registration_id)
    return elsewhere(approval, fmt::format("it is {}", listed->registration_id->text()));
  GroupEk kept = listed ? *std::move(listed)
                        : GroupEk{.scope = approval.scope,
                                  .ek_name = approval.ek_name,
                                  .ek_public = approval.ek_public,
                                  .group = *approval.group,
                                  .enrollment_id = *approval.enrollment_id,
                                  .registration_id = std::nullopt,
                                  .created_at = at};
  kept.is_approved = true;
  // He agreed to this ID. One that is another's becomes its own when it is assigned.
  TRY(const auto bound, records.find_bound_ek(approval.scope, approval.registration_id));
  if (!bound) kept.registration_id = approval.registration_id;
  return records.put_group_ek(kept);
}

Status withdraw(Records& records, const Approval& approval, Timestamp at) {
  const auto& [scope, registration] = std::tie(approval.scope, approval.registration_id);
  TRY_STATUS(records.remove_approval(scope, registration));
  TRY(const auto waiting, records.list_waiting_operations(scope, registration));
  for (const Operation& open : waiting)
    if (open.ek_name == approval.ek_name) TRY_STATUS(records.end_operation(scope, open.operation_id, at));
  if (!approval.is_uncertified || !approval.approved_at) return {};
  TRY(auto listed, records.find_group_ek(scope, approval.ek_name));
  const bool is_by_approval = listed && listed->enrollment_id == approval.enrollment_id && listed->is_approved &&
                              (!listed->registration_id || *listed->registration_id == registration);
  if (!is_by_approval) return {};
  TRY(const auto device, records.find_device_of(scope, registration));
  const bool came_before =
      device && device->enrollment_id == listed->enrollment_id && device->ek_name == listed->ek_name;
  if (!came_before) return records.remove_group_ek(scope, approval.ek_name);
  // It came by a certificate once, and may so again.
  listed->is_approved = false;
  return records.put_group_ek(*listed);
}

Status check_room_for_wish(RecordsView& records, const Operation& operation) {
  if (!operation.is_uncertified) return {};
  TRY(const auto before, records.find_approval(operation.scope, operation.registration_id));
  if (before && before->is_uncertified && before->enrollment_id == operation.enrollment_id) return {};  // it has one
  TRY(const std::size_t waiting,
      records.count_uncertified(operation.scope, operation.enrollment_id, kUncertifiedPendingMax));
  if (waiting < kUncertifiedPendingMax) return {};
  return Error{
      .kind = ErrorKind::kThrottled,
      .code = "approval.too_many",
      .message = "too many devices wait for an approval: try again later",
      .operator_detail = fmt::format("{} TPMs without an EK certificate wait in the group {}: approve or reject "
                                     "some (`warifu approval list`)",
                                     waiting, operation.group->text())};
}

Status settle_tpm(Records& records, const Statement& statement, const TpmSighting& sighting, Timestamp at) {
  const Operation& operation = sighting.operation;
  if (has_another_srk(sighting.before, sighting.srk_name))
    TRY_STATUS(records.note_replaced_srk(operation.scope, operation.registration_id, sighting.before->srk_name, at));
  TRY(const auto approval, records.find_approval(operation.scope, operation.registration_id));
  if (approval && approval->ek_name == operation.ek_name) {
    TRY_STATUS(records.remove_approval(operation.scope, operation.registration_id));
  } else if (approval) {
    TRY(const bool stands, may_come(records, *approval));
    // Under the ID of another device nobody comes without a certificate.
    if (!stands || approval->is_uncertified) TRY_STATUS(withdraw(records, *approval, at));
  }
  if (!statement.group) return {};

  TRY(auto listed, records.find_group_ek(operation.scope, operation.ek_name));
  TRY(auto bound, records.find_bound_ek(operation.scope, operation.registration_id));
  if (!listed || listed->enrollment_id != operation.enrollment_id)
    return Error{ErrorKind::kNotFound, "enrollment.unknown", "the endorsement key is not listed any more"};
  if (bound && bound->ek_name != listed->ek_name) {
    bound->registration_id.reset();
    TRY_STATUS(records.put_group_ek(*bound));
  }
  listed->registration_id = operation.registration_id;
  return records.put_group_ek(*listed);
}

}  // namespace warifu::provisioning
