// What keeps a device that proved itself from its assignment: an operator's approval, or its own attestation.
#include <fmt/format.h>

#include <algorithm>

#include "provisioning/duplicates.h"
#include "provisioning/registrar.h"

namespace warifu::provisioning {

// The device that is assigned goes on as it is meanwhile.
Status Registrar::wait_for_approval(Records& records, audit::Trail& trail, const ProvenDevice& proven) const {
  Operation operation = proven.operation_;
  operation.state = Operation::State::kWaiting;
  TRY_STATUS(end_replaced_operations(records, operation, operation.created_at, /*needs_approval=*/true));
  TRY_STATUS(records.insert_operation(operation));
  TRY_STATUS(records.put_approval({operation.scope, operation.registration_id, operation.ek_name, proven.srk_name_,
                                   operation.created_at, std::nullopt, operation.group,
                                   operation.group ? std::optional(operation.enrollment_id) : std::nullopt,
                                   operation.is_uncertified}));
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
