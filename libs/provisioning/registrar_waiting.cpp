// What keeps a device that proved itself from its assignment: an operator's approval, or its own attestation.
#include <fmt/format.h>

#include <algorithm>

#include "provisioning/duplicates.h"
#include "provisioning/registrar.h"

namespace warifu::provisioning {

Result<std::optional<std::variant<Uuid, RecordedRefusal>>> Registrar::hold_tpm(
    Records& records, audit::Trail& trail, const Statement& statement, const ProvenDevice& proven,
    const std::optional<Device>& before) const {
  using Held = std::optional<std::variant<Uuid, RecordedRefusal>>;
  const Operation& wanted = proven.operation_;
  const TpmSighting sighting{wanted, proven.srk_name_, before};
  TRY(auto refusal, refuse_bound_ek(records, trail, sighting, proven.is_certified_, clock_.now()));
  if (refusal) {
    TRY(auto kept, keep_refusal(records, wanted, *std::move(refusal)));
    return Held(std::move(kept));
  }
  if (proven.is_certified_) TRY_STATUS(keep_certified_ek(records, wanted, clock_.now()));
  TRY_STATUS(raise_duplicate_alerts(records, sighting, clock_.now()));
  TRY(const bool waits, needs_approval(records, statement.terms, sighting));
  if (waits) {
    TRY(auto second, refuse_second_wish(records, trail, sighting, clock_.now()));
    if (second) {
      TRY(auto kept, keep_refusal(records, wanted, *std::move(second)));
      return Held(std::move(kept));
    }
    TRY_STATUS(check_room_for_wish(records, wanted));
    TRY_STATUS(wait_for_approval(records, trail, proven));
    return Held(wanted.operation_id);
  }
  TRY(const auto shortfall, find_shortfall_of(records, statement, wanted, before));
  if (!shortfall) return Held();
  TRY_STATUS(wait_for_attestation(records, trail, statement, proven, *shortfall));
  return Held(wanted.operation_id);
}

// The device that is assigned goes on as it is meanwhile.
Status Registrar::wait_for_approval(Records& records, audit::Trail& trail, const ProvenDevice& proven) const {
  Operation operation = proven.operation_;
  operation.state = Operation::State::kWaiting;
  TRY_STATUS(end_replaced_operations(records, operation, operation.created_at, /*needs_approval=*/true));
  TRY_STATUS(records.insert_operation(operation));
  TRY_STATUS(records.put_approval(
      {operation.scope, operation.registration_id, operation.ek_name, proven.srk_name_, operation.created_at,
       std::nullopt, operation.group, operation.group ? std::optional(operation.enrollment_id) : std::nullopt,
       operation.is_uncertified, operation.is_uncertified ? operation.ek_public : Bytes()}));
  return trail.record(operation.scope,
                      {fmt::format("device:{}", operation.registration_id.text()), "approval.request",
                       fmt::format("registration:{}", operation.registration_id.text()),
                       fmt::format(R"({{"operation_id":"{}","ek_name":"{}","srk_name":"{}","uncertified":{}}})",
                                   operation.operation_id.text(), to_hex(operation.ek_name), to_hex(proven.srk_name_),
                                   operation.is_uncertified)});
}

// The device that is assigned goes on as it is meanwhile.
Status Registrar::wait_for_attestation(Records& records, audit::Trail& trail, const Statement& statement,
                                       const ProvenDevice& proven, const AttestationShortfall& shortfall) const {
  Operation operation = proven.operation_;
  operation.state = Operation::State::kWaiting;
  TRY_STATUS(end_replaced_operations(records, operation, operation.created_at));
  TRY_STATUS(records.insert_operation(operation));
  TRY_STATUS(trail.record(operation.scope,
                          {fmt::format("device:{}", operation.registration_id.text()), "attestation.await",
                           fmt::format("registration:{}", operation.registration_id.text()),
                           fmt::format(R"({{"operation_id":"{}","ek_name":"{}","required":"{}","code":"{}"}})",
                                       operation.operation_id.text(), to_hex(operation.ek_name),
                                       to_string(*statement.terms.required_attestation), shortfall.code)}));
  return tell_if_insufficient(records, trail, statement, operation.ek_name);
}

Result<std::optional<AttestationShortfall>> Registrar::find_shortfall_of(RecordsView& records,
                                                                         const Statement& statement,
                                                                         const Operation& operation,
                                                                         const std::optional<Device>& before) const {
  return find_shortfall(records, statement, {operation.scope, operation.registration_id, operation.ek_name, before},
                        clock_.now());
}

Status Registrar::tell_if_insufficient(Records& records, audit::Trail& trail, const Statement& statement,
                                       ByteView ek_name) const {
  if (!statement.terms.required_attestation) return {};
  TRY(const auto waiting, records.list_waiting_operations(statement.scope, statement.registration));
  const auto own = std::ranges::find_if(waiting, [&](const Operation& operation) {
    return is_live(operation) && std::ranges::equal(operation.ek_name, ek_name);
  });
  if (own == waiting.end()) return {};
  TRY(const auto before, records.find_device_of(statement.scope, statement.registration));
  TRY(const auto shortfall, find_shortfall_of(records, statement, *own, before));
  if (!shortfall || shortfall->code != kInsufficient) return {};
  return raise_insufficient_attestation(records, trail, *own, *shortfall, clock_.now());
}

}  // namespace warifu::provisioning
