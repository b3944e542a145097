#pragma once

#include "provisioning/records.h"
#include "store/connection.h"
#include "store/event_writer.h"

namespace warifu::store {

// Everything of provisioning::Records in SQL. Its statements are the same for every database. One file for each kind of
// record: sql_enrollments.cpp, sql_groups.cpp, sql_devices.cpp, sql_operations.cpp, sql_attention.cpp,
// sql_last_attestation.cpp, and the rest in sql_provisioning.cpp.
class SqlProvisioningRecords final : public provisioning::Records {
 public:
  // Without `events` (for who only reads) nobody is told of what is written.
  explicit SqlProvisioningRecords(Connection& connection, EventWriter* events = nullptr)
      : connection_(connection), events_(events) {}

  Result<std::vector<ScopeId>> list_scopes() override;
  Result<bool> scope_exists(const ScopeId& scope) override;
  // kConflict "scope.exists".
  Status insert_scope(const ScopeId& scope, const std::string& organisation, Timestamp at) override;

  Result<std::optional<provisioning::Enrollment>> find_enrollment(const ScopeId& scope,
                                                                  const RegistrationId& id) override;
  Result<std::vector<provisioning::Enrollment>> list_enrollments(
      const ScopeId& scope, const provisioning::Page<RegistrationId>& page) override;
  Result<std::vector<RegistrationId>> find_enrollments_of_ek(const ScopeId& scope, ByteView ek_name,
                                                             std::size_t limit) override;
  Status insert_enrollment(const provisioning::Enrollment& enrollment) override;
  Status update_enrollment(const provisioning::Enrollment& enrollment) override;
  // kNotFound "enrollment.unknown".
  Status remove_enrollment(const ScopeId& scope, const RegistrationId& id) override;

  Result<std::optional<provisioning::EnrollmentGroup>> find_group(const ScopeId& scope, const GroupId& id) override;
  Result<std::vector<provisioning::EnrollmentGroup>> list_groups(const ScopeId& scope,
                                                                 const provisioning::Page<GroupId>& page) override;
  Result<std::vector<provisioning::EnrollmentGroup>> list_groups_of(const ScopeId& scope,
                                                                    provisioning::Mechanism mechanism,
                                                                    std::size_t limit) override;
  Result<std::vector<provisioning::EnrollmentGroup>> list_authority_groups(const ScopeId& scope,
                                                                           std::size_t limit) override;
  Result<std::optional<provisioning::GroupEk>> find_group_ek(const ScopeId& scope, ByteView ek_name) override;
  Result<std::optional<provisioning::GroupEk>> find_bound_ek(const ScopeId& scope, const RegistrationId& id) override;
  Result<std::vector<provisioning::GroupEk>> list_group_eks(const ScopeId& scope, const GroupId& group,
                                                            const provisioning::Page<Bytes>& page) override;
  Status insert_group(const provisioning::EnrollmentGroup& group) override;
  Status update_group(const provisioning::EnrollmentGroup& group) override;
  // kNotFound "group.unknown".
  Status remove_group(const ScopeId& scope, const GroupId& id) override;
  Status put_group_ek(const provisioning::GroupEk& ek) override;
  Status remove_group_ek(const ScopeId& scope, ByteView ek_name) override;
  Result<std::size_t> purge_group_eks(const ScopeId& scope, std::size_t limit) override;

  Result<std::optional<provisioning::Device>> find_device(const ScopeId& scope, const DeviceId& id) override;
  Result<std::optional<provisioning::Device>> find_device_of(const ScopeId& scope, const RegistrationId& id) override;
  Result<std::vector<provisioning::Device>> list_devices(const ScopeId& scope,
                                                         const provisioning::Page<DeviceId>& page) override;
  Result<std::vector<provisioning::Device>> list_devices_of_group(const ScopeId& scope, const GroupId& group,
                                                                  const provisioning::Page<DeviceId>& page) override;
  Result<std::vector<RegistrationId>> find_devices_of_ek(const ScopeId& scope, ByteView ek_name,
                                                         std::size_t limit) override;
  Result<bool> was_srk_replaced(const ScopeId& scope, const RegistrationId& id, ByteView srk_name) override;
  Status put_device(const provisioning::Device& device) override;
  Status note_replaced_srk(const ScopeId& scope, const RegistrationId& id, ByteView srk_name, Timestamp at) override;

  Result<std::optional<provisioning::Operation>> find_operation(const ScopeId& scope,
                                                                const Uuid& operation_id) override;
  Result<std::optional<provisioning::Operation>> find_operation_of_challenge(const ScopeId& scope,
                                                                             const Uuid& challenge_id) override;
  Result<std::optional<provisioning::Operation>> find_open_operation(const ScopeId& scope, const RegistrationId& id,
                                                                     provisioning::Operation::State state) override;
  Result<std::vector<provisioning::Operation>> list_waiting_operations(const ScopeId& scope,
                                                                       const RegistrationId& id) override;
  Result<std::vector<RegistrationId>> list_waiting_registrations(
      const ScopeId& scope, const provisioning::Page<RegistrationId>& page) override;
  Result<std::optional<provisioning::LastAttestation>> find_last_attestation(
      const ScopeId& scope, const RegistrationId& id, const std::optional<GroupId>& group) override;
  // kConflict "operation.exists": the challenge has opened an operation before.
  Status insert_operation(const provisioning::Operation& operation) override;
  Status assign_operation(const ScopeId& scope, const Uuid& operation_id, provisioning::Substatus substatus) override;
  // kNotFound "operation.unknown". An operation that has ended keeps its end.
  Status end_operation(const ScopeId& scope, const Uuid& operation_id, Timestamp at) override;
  Status end_operations(const ScopeId& scope, const RegistrationId& id, Timestamp at) override;
  Status end_waiting_operations_of_ek(const ScopeId& scope, const Uuid& enrollment_id, ByteView ek_name,
                                      Timestamp at) override;
  Result<std::size_t> purge_operations(const ScopeId& scope, Timestamp before, std::size_t limit) override;

  Result<std::optional<provisioning::Approval>> find_approval(const ScopeId& scope, const RegistrationId& id) override;
  Result<std::size_t> count_uncertified(const ScopeId& scope, const Uuid& enrollment_id, std::size_t limit) override;
  Result<std::vector<provisioning::Approval>> list_approvals(const ScopeId& scope,
                                                             const provisioning::Page<RegistrationId>& page) override;
  Result<std::vector<provisioning::Alert>> list_alerts(const ScopeId& scope,
                                                       const provisioning::Page<provisioning::AlertKey>& page) override;
  Result<std::vector<provisioning::Alert>> list_alerts_of(const ScopeId& scope, const RegistrationId& id) override;
  Result<std::size_t> count_attempts(const ScopeId& scope, bool is_enrolled, std::size_t limit) override;
  Result<std::vector<provisioning::Attempt>> list_attempts(const ScopeId& scope, const RegistrationId& id,
                                                           std::size_t limit) override;
  Status put_approval(const provisioning::Approval& approval) override;
  Status remove_approval(const ScopeId& scope, const RegistrationId& id) override;
  Status remove_approvals_of_group(const ScopeId& scope, const Uuid& enrollment_id) override;
  Status remove_approvals_of_ek(const ScopeId& scope, const Uuid& enrollment_id, ByteView ek_name) override;
  Status raise_alert(const provisioning::Alert& alert) override;
  Status acknowledge_alert(const ScopeId& scope, const provisioning::AlertKey& key, Timestamp at) override;

  Result<std::vector<provisioning::EscrowDeposit>> list_escrow_deposits(const ScopeId& scope,
                                                                        const DeviceId& id) override;
  // kConflict "escrow.exists".
  Status insert_escrow_deposit(const provisioning::EscrowDeposit& deposit) override;

 private:
  // The newest first.
  Result<std::vector<provisioning::Operation>> list_open_operations(const ScopeId& scope, const RegistrationId& id,
                                                                    provisioning::Operation::State state);
  Result<std::optional<provisioning::Alert>> find_alert(const ScopeId& scope, const provisioning::AlertKey& key);

  Connection& connection_;
  EventWriter* events_;
};

}  // namespace warifu::store
