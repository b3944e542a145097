#include "provisioning/duplicates.h"

#include <fmt/format.h>

#include <algorithm>

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
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  std::erase(ids, operation.registration_id);
  return ids;
}

// The EK that the registration is bound to in this group.
Result<std::optional<GroupEk>> bound_ek(RecordsView& records, const Operation& operation) {
  TRY(auto bound, records.find_bound_ek(operation.scope, operation.registration_id));
  if (!bound || bound->enrollment_id != operation.enrollment_id) return std::optional<GroupEk>();
  return bound;
}

bool has_another_srk(const std::optional<Device>& before, const Bytes& srk_name) {
  return before && before->mechanism == Mechanism::kTpm && !before->srk_name.empty() && before->srk_name != srk_name;
}

}  // namespace

Result<std::optional<Error>> refuse_bound_ek(Records& records, audit::Trail& trail, const TpmSighting& sighting,
                                             Timestamp at) {
  const Operation& operation = sighting.operation;
  if (!operation.group) return std::optional<Error>();
  TRY(const auto listed, records.find_group_ek(operation.scope, operation.ek_name));
  if (!listed || listed->enrollment_id != operation.enrollment_id)
    return std::optional(
        Error{ErrorKind::kNotFound, "enrollment.unknown", "the endorsement key was taken off the list of its group"});
  if (!listed->registration_id || *listed->registration_id == operation.registration_id) return std::optional<Error>();
  TRY_STATUS(raise_duplicate_ek(records, operation, *listed->registration_id, at));
  TRY_STATUS(
      trail.record(operation.scope, {fmt::format("device:{}", operation.registration_id.text()), "enrollment.refuse",
                                     fmt::format("registration:{}", operation.registration_id.text()),
                                     fmt::format(R"({{"code":"enrollment.bound","ek_name":"{}","bound_to":"{}"}})",
                                                 to_hex(operation.ek_name), listed->registration_id->text())}));
  return std::optional(Error{.kind = ErrorKind::kRefused,
                             .code = "enrollment.bound",
                             .message = "this TPM came under another registration ID first, and stays with it",
                             .operator_detail = fmt::format("the EK {} belongs to {}", to_hex(operation.ek_name),
                                                            listed->registration_id->text())});
}

Status raise_duplicate_alerts(Records& records, const TpmSighting& sighting, Timestamp at) {
  const Operation& operation = sighting.operation;
  TRY(const auto others, other_ids_of_ek(records, operation));
  for (const auto& other : others)
    TRY_STATUS(raise_duplicate_ek(records, operation, other, at));

  const std::string srk = to_hex(sighting.srk_name);
  TRY(const auto open, records.find_open_operation(operation.scope, operation.registration_id));
  if (open && open->mechanism == Mechanism::kTpm && open->srk_public != operation.srk_public)
    TRY_STATUS(raise(records, operation, "srk.overlap", srk,
                     fmt::format("{} began a registration with the SRK {} while one with another SRK was open: two "
                                 "machines may share the TPM's keys",
                                 operation.registration_id.text(), srk),
                     at));
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

Result<bool> needs_approval(RecordsView& records, const Terms& terms, const TpmSighting& sighting) {
  const Operation& operation = sighting.operation;
  TRY(const auto bound, bound_ek(records, operation));
  const bool ek_moves = operation.group && bound && bound->ek_name != operation.ek_name;
  if (!ek_moves && !(terms.approve_srk_changes && has_another_srk(sighting.before, sighting.srk_name))) return false;
  TRY(const auto approval, records.find_approval(operation.scope, operation.registration_id));
  const bool is_approved = approval && approval->approved_at && approval->ek_name == operation.ek_name &&
                           approval->srk_name == sighting.srk_name;
  return !is_approved;
}

Status settle_tpm(Records& records, const Statement& statement, const TpmSighting& sighting, Timestamp at) {
  const Operation& operation = sighting.operation;
  if (has_another_srk(sighting.before, sighting.srk_name))
    TRY_STATUS(records.note_replaced_srk(operation.scope, operation.registration_id, sighting.before->srk_name, at));
  TRY(const auto approval, records.find_approval(operation.scope, operation.registration_id));
  if (approval) TRY_STATUS(records.remove_approval(operation.scope, operation.registration_id));
  if (!statement.group) return {};

  TRY(auto listed, records.find_group_ek(operation.scope, operation.ek_name));
  TRY(auto bound, records.find_bound_ek(operation.scope, operation.registration_id));
  if (!listed) return Error{ErrorKind::kNotFound, "enrollment.unknown", "the endorsement key is not listed any more"};
  if (bound && bound->ek_name != listed->ek_name) {
    bound->registration_id.reset();
    TRY_STATUS(records.put_group_ek(*bound));
  }
  if (listed->registration_id == operation.registration_id) return {};
  listed->registration_id = operation.registration_id;
  return records.put_group_ek(*listed);
}

}  // namespace warifu::provisioning
