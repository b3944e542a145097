#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "lifecycle/standing.h"

namespace warifu::provisioning {

// The operator's statement that the device with this EK may come.
struct Enrollment {
  ScopeId scope;
  RegistrationId registration_id;
  Uuid enrollment_id;  // a re-created enrollment is another one: what was proved under the old one is void
  Bytes ek_public;     // TPM2B_PUBLIC, checked when it was enrolled
  Bytes ek_name;       // its Name: the key of the search for duplicates
  bool allow_software_keys = false;
  Timestamp created_at;
};

// A device that has proved itself at least once.
struct Device {
  ScopeId scope;
  DeviceId device_id;
  RegistrationId registration_id;
  Uuid enrollment_id;
  Uuid operation_id;  // the one that assigned it last; only this one may collect the hub key
  lifecycle::Standing standing;
  Bytes ek_name;
  Bytes srk_name;  // information: an owner's TPM2_Clear changes it
  std::string assigned_hub;
  Bytes sealed_hub_key;  // under the envelope key
  Timestamp created_at;
  Timestamp updated_at;
};

// One run of the registration dialogue after the device proved itself.
struct Operation {
  ScopeId scope;
  Uuid operation_id;
  RegistrationId registration_id;
  Uuid enrollment_id;
  Uuid challenge_id;           // unique: a challenge opens one operation
  Bytes sealed_challenge_key;  // envelope under the envelope key: polls are signed with it
  Bytes token_digest;          // SHA-256 of the token that opened it: good for polls even after that token's expiry
  Bytes srk_public;            // TPM2B_PUBLIC: the result is bound to it
  bool first_assignment = true;
  Timestamp created_at;
  std::optional<Timestamp> ended_at;  // when the result was first fetched, or another operation took its place
};

// A package that a device left for its operator. None is ever replaced.
struct EscrowDeposit {
  ScopeId scope;
  DeviceId device_id;
  std::uint32_t number;  // 1, 2, … for each device, in the order of their arrival: clocks go backwards
  Bytes sha256;          // of the package; unique for each device
  Bytes ek_name;         // of the TPM that the device had proved
  Bytes package;         // CMS, DER (EscrowPackage)
  Timestamp received_at;
};

// A page of a list in the order of its key: what comes after `after`, at most `limit`.
template <class Key>
struct Page {
  std::optional<Key> after;
  std::size_t limit;
};

// What provisioning needs to read; errors are the database's own.
class RecordsView {
 public:
  virtual ~RecordsView() = default;
  virtual Result<std::vector<ScopeId>> list_scopes() = 0;
  virtual Result<bool> scope_exists(const ScopeId& scope) = 0;
  virtual Result<std::optional<Enrollment>> find_enrollment(const ScopeId& scope, const RegistrationId& id) = 0;
  virtual Result<std::vector<Enrollment>> list_enrollments(const ScopeId& scope, const Page<RegistrationId>& page) = 0;
  // At most `limit` registration IDs under which this EK is enrolled.
  virtual Result<std::vector<RegistrationId>> find_enrollments_of_ek(const ScopeId& scope, ByteView ek_name,
                                                                     std::size_t limit) = 0;
  virtual Result<std::optional<Device>> find_device(const ScopeId& scope, const DeviceId& id) = 0;
  virtual Result<std::vector<Device>> list_devices(const ScopeId& scope, const Page<DeviceId>& page) = 0;
  virtual Result<std::optional<Operation>> find_operation(const ScopeId& scope, const Uuid& operation_id) = 0;
  virtual Result<std::optional<Operation>> find_operation_of_challenge(const ScopeId& scope,
                                                                       const Uuid& challenge_id) = 0;
  // All of that device, by number.
  virtual Result<std::vector<EscrowDeposit>> list_escrow_deposits(const ScopeId& scope, const DeviceId& id) = 0;
};

class Records : public RecordsView {
 public:
  virtual Status insert_scope(const ScopeId& scope, const std::string& organisation, Timestamp at) = 0;
  // kConflict "enrollment.exists" if the registration ID is taken.
  virtual Status insert_enrollment(const Enrollment& enrollment) = 0;
  virtual Status remove_enrollment(const ScopeId& scope, const RegistrationId& id) = 0;
  virtual Status insert_operation(const Operation& operation) = 0;
  virtual Status end_operation(const ScopeId& scope, const Uuid& operation_id, Timestamp at) = 0;
  // Ends every open operation of that registration.
  virtual Status end_operations(const ScopeId& scope, const RegistrationId& id, Timestamp at) = 0;
  // Inserts the device or replaces what is stored of it, except created_at.
  virtual Status put_device(const Device& device) = 0;
  // kConflict "escrow.exists" if the device has one with that number or digest.
  virtual Status insert_escrow_deposit(const EscrowDeposit& deposit) = 0;
  // Removes at most `limit` operations of the scope that were created before `before`; returns how many.
  virtual Result<std::size_t> purge_operations(const ScopeId& scope, Timestamp before, std::size_t limit) = 0;
};

}  // namespace warifu::provisioning
