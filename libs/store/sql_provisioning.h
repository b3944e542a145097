#pragma once

#include "provisioning/records.h"
#include "store/connection.h"

namespace warifu::store {

class SqlProvisioningRecords final : public provisioning::Records {
 public:
  explicit SqlProvisioningRecords(Connection& connection) : connection_(connection) {}

  Result<std::vector<ScopeId>> list_scopes() override;
  Result<bool> scope_exists(const ScopeId& scope) override;
  Result<std::optional<provisioning::Enrollment>> find_enrollment(const ScopeId& scope,
                                                                  const RegistrationId& id) override;
  Result<std::vector<provisioning::Enrollment>> list_enrollments(
      const ScopeId& scope, const provisioning::Page<RegistrationId>& page) override;
  Result<std::vector<RegistrationId>> find_enrollments_of_ek(const ScopeId& scope, ByteView ek_name,
                                                             std::size_t limit) override;
  Result<std::optional<provisioning::Device>> find_device(const ScopeId& scope, const DeviceId& id) override;
  Result<std::vector<provisioning::Device>> list_devices(const ScopeId& scope,
                                                         const provisioning::Page<DeviceId>& page) override;
  Result<std::optional<provisioning::Operation>> find_operation(const ScopeId& scope,
                                                                const Uuid& operation_id) override;
  Result<std::optional<provisioning::Operation>> find_operation_of_challenge(const ScopeId& scope,
                                                                             const Uuid& challenge_id) override;
  Result<std::vector<provisioning::EscrowDeposit>> list_escrow_deposits(const ScopeId& scope,
                                                                        const DeviceId& id) override;

  // kConflict "scope.exists".
  Status insert_scope(const ScopeId& scope, const std::string& organisation, Timestamp at) override;
  Status insert_enrollment(const provisioning::Enrollment& enrollment) override;
  // kNotFound "enrollment.unknown".
  Status remove_enrollment(const ScopeId& scope, const RegistrationId& id) override;
  // kConflict "operation.exists": the challenge has opened an operation before.
  Status insert_operation(const provisioning::Operation& operation) override;
  // kNotFound "operation.unknown". An operation that has ended keeps its end.
  Status end_operation(const ScopeId& scope, const Uuid& operation_id, Timestamp at) override;
  Status end_operations(const ScopeId& scope, const RegistrationId& id, Timestamp at) override;
  Status put_device(const provisioning::Device& device) override;
  // kConflict "escrow.exists".
  Status insert_escrow_deposit(const provisioning::EscrowDeposit& deposit) override;
  Result<std::size_t> purge_operations(const ScopeId& scope, Timestamp before, std::size_t limit) override;

 private:
  Connection& connection_;
};

}  // namespace warifu::store
