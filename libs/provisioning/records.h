#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "lifecycle/standing.h"
#include "provisioning/enrollment.h"
#include "provisioning/last_attestation.h"

namespace warifu::provisioning {

// A device that has proved itself at least once.
struct Device {
  ScopeId scope;
  DeviceId device_id;
  RegistrationId registration_id;
  Uuid enrollment_id;            // of the enrollment or group that it came under last; nil: is_registered() is false
  std::optional<GroupId> group;  // absent: an enrollment of its own
  Mechanism mechanism = Mechanism::kTpm;
  Uuid operation_id;  // the one that assigned it last; only this one may collect the hub key
  lifecycle::Standing standing;
  Bytes ek_name;             // these two of a TPM only
  Bytes srk_name;            // information: an owner's TPM2_Clear changes it
  Bytes certificate_sha256;  // of an X.509 device's leaf
  std::string assigned_hub;
  Bytes sealed_hub_key;  // under the envelope key; empty for what has its own credential, or whose was revoked
  // Of a device of a symmetric-key group: the spelling of its ID that its key is derived from. Empty: that of the ID.
  std::string key_derived_for = {};
  Timestamp created_at;
  Timestamp updated_at;
};

// What a device is told of its twin (Azure DPS: substatus).
enum class Substatus { kInitialAssignment, kDeviceDataMigrated, kDeviceDataReset };

// One run of the registration dialogue after the device proved itself.
struct Operation {
  enum class State {
    kAssigned,  // the device is assigned by it
    kWaiting,   // for an operator's approval, or for the device's attestation; nothing is assigned yet
  };

  ScopeId scope;
  Uuid operation_id;
  RegistrationId registration_id;
  Uuid enrollment_id;
  std::optional<GroupId> group;
  Mechanism mechanism = Mechanism::kTpm;
  State state = State::kAssigned;
  Substatus substatus = Substatus::kInitialAssignment;
  std::optional<Uuid> challenge_id;  // unique: a challenge opens one operation. TPMs only, like the next four
  Bytes sealed_challenge_key;        // envelope under the envelope key: polls are signed with it
  Bytes ek_name;
  Bytes srk_public;    // TPM2B_PUBLIC: the result is bound to it
  Bytes token_digest;  // SHA-256 of the token that opened it: good for polls even after that token's expiry
  Timestamp created_at;
  std::optional<Timestamp> ended_at;  // when the result was first fetched, or another operation took its place
  // Of a group by authorities for EKs: what is kept of the EK once its device is assigned, and whether an operator must
  // agree first, as no certificate of it is accepted.
  Bytes ek_public = {};  // TPM2B_PUBLIC
  bool is_uncertified = false;
};

// A device's wish to go on with another EK or SRK than the one that is known, or to come without an EK certificate,
// which an operator decides.
struct Approval {
  ScopeId scope;
  RegistrationId registration_id;
  Bytes ek_name;
  Bytes srk_name;
  Timestamp requested_at;
  std::optional<Timestamp> approved_at;  // it holds for these very keys, once
  std::optional<GroupId> group = {};     // under which it came, and the generation of that; absent: its own enrollment
  std::optional<Uuid> enrollment_id = {};
  bool is_uncertified = false;  // its group takes TPMs by their EK certificates, and accepts none of this one
  Bytes ek_public = {};         // TPM2B_PUBLIC, of an uncertified one: what is listed when he agrees
};

// The wish that an operator looked at before he decided.
struct ApprovalKeys {
  Bytes ek_name;
  Bytes srk_name;
};

// Something that an operator should look at. The same again counts up.
struct Alert {
  ScopeId scope;
  std::string kind;  // "ek.duplicate", "ek.bound", "ek.contended", "srk.overlap", "srk.returned", "attestation.silent",
                     // "attestation.insufficient"
  RegistrationId registration_id;
  std::string subject;  // what it is about: the other registration ID, the Name of a key
  std::string detail;   // for people
  std::int64_t count = 1;
  Timestamp first_at;
  Timestamp last_at;
  std::optional<Timestamp> acknowledged_at;  // a later occurrence takes it back
};

// What became of a device's request, or of several alike: how far it came, and why no further. A diary for people, kept
// as well as it goes (Diary).
struct Attempt {
  ScopeId scope;
  RegistrationId registration_id;
  Uuid tracking_id;  // of the last of them, like the next two and the message
  Timestamp at;
  std::string peer_address;
  std::string stage;              // "challenge", "operation", "assignment", "lookup", or where it was refused
  std::string code;               // of the refusal; empty when there was none
  std::string message;            // all of it, for the operator
  std::string peer_network = {};  // what counts as one client there, as text
  std::int64_t count = 1;
  Timestamp first_at = {};  // of the first of them; the epoch: `at`
  bool is_enrolled = true;  // an enrollment or a device has this ID
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

// The place in the list of alerts.
struct AlertKey {
  RegistrationId registration_id;
  std::string kind;
  std::string subject;
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

  virtual Result<std::optional<EnrollmentGroup>> find_group(const ScopeId& scope, const GroupId& id) = 0;
  virtual Result<std::vector<EnrollmentGroup>> list_groups(const ScopeId& scope, const Page<GroupId>& page) = 0;
  // The groups of one mechanism, at most `limit`, by ID.
  virtual Result<std::vector<EnrollmentGroup>> list_groups_of(const ScopeId& scope, Mechanism mechanism,
                                                              std::size_t limit) = 0;
  // The TPM groups by authorities for EKs, at most `limit`, by ID.
  virtual Result<std::vector<EnrollmentGroup>> list_authority_groups(const ScopeId& scope, std::size_t limit) = 0;
  virtual Result<std::optional<GroupEk>> find_group_ek(const ScopeId& scope, ByteView ek_name) = 0;
  // The EK that is bound to that registration in its group.
  virtual Result<std::optional<GroupEk>> find_bound_ek(const ScopeId& scope, const RegistrationId& id) = 0;
  // By Name.
  virtual Result<std::vector<GroupEk>> list_group_eks(const ScopeId& scope, const GroupId& group,
                                                      const Page<Bytes>& page) = 0;

  virtual Result<std::optional<Device>> find_device(const ScopeId& scope, const DeviceId& id) = 0;
  virtual Result<std::optional<Device>> find_device_of(const ScopeId& scope, const RegistrationId& id) = 0;
  virtual Result<std::vector<Device>> list_devices(const ScopeId& scope, const Page<DeviceId>& page) = 0;
  virtual Result<std::vector<Device>> list_devices_of_group(const ScopeId& scope, const GroupId& group,
                                                            const Page<DeviceId>& page) = 0;
  // At most `limit` registration IDs of devices that have proved this EK.
  virtual Result<std::vector<RegistrationId>> find_devices_of_ek(const ScopeId& scope, ByteView ek_name,
                                                                 std::size_t limit) = 0;
  // Whether that device once had this SRK and then another.
  virtual Result<bool> was_srk_replaced(const ScopeId& scope, const RegistrationId& id, ByteView srk_name) = 0;

  virtual Result<std::optional<Operation>> find_operation(const ScopeId& scope, const Uuid& operation_id) = 0;
  virtual Result<std::optional<Operation>> find_operation_of_challenge(const ScopeId& scope,
                                                                       const Uuid& challenge_id) = 0;
  // An operation of that registration in that state that has not ended, the newest. One is assigned at most.
  virtual Result<std::optional<Operation>> find_open_operation(const ScopeId& scope, const RegistrationId& id,
                                                               Operation::State state) = 0;
  // All that wait, the newest first: one at most for an approval, and one at most for an attestation alone.
  virtual Result<std::vector<Operation>> list_waiting_operations(const ScopeId& scope, const RegistrationId& id) = 0;
  // Whose operations these are, by registration ID.
  virtual Result<std::vector<RegistrationId>> list_waiting_registrations(const ScopeId& scope,
                                                                         const Page<RegistrationId>& page) = 0;

  // `group`: the one that the device came under, whose policy may be the one that stands.
  virtual Result<std::optional<LastAttestation>> find_last_attestation(const ScopeId& scope, const RegistrationId& id,
                                                                       const std::optional<GroupId>& group) = 0;

  virtual Result<std::optional<Approval>> find_approval(const ScopeId& scope, const RegistrationId& id) = 0;
  // How many of that generation of a group wait as uncertified and are not approved; counts to `limit` only.
  virtual Result<std::size_t> count_uncertified(const ScopeId& scope, const Uuid& enrollment_id, std::size_t limit) = 0;
  virtual Result<std::vector<Approval>> list_approvals(const ScopeId& scope, const Page<RegistrationId>& page) = 0;
  virtual Result<std::vector<Alert>> list_alerts(const ScopeId& scope, const Page<AlertKey>& page) = 0;
  virtual Result<std::vector<Alert>> list_alerts_of(const ScopeId& scope, const RegistrationId& id) = 0;
  // The newest first, at most `limit`.
  virtual Result<std::vector<Attempt>> list_attempts(const ScopeId& scope, const RegistrationId& id,
                                                     std::size_t limit) = 0;
  // How many there are of IDs that are enrolled, or that are not; counts to `limit` only.
  virtual Result<std::size_t> count_attempts(const ScopeId& scope, bool is_enrolled, std::size_t limit) = 0;

  // All of that device, by number.
  virtual Result<std::vector<EscrowDeposit>> list_escrow_deposits(const ScopeId& scope, const DeviceId& id) = 0;
};

class Records : public RecordsView {
 public:
  virtual Status insert_scope(const ScopeId& scope, const std::string& organisation, Timestamp at) = 0;

  // kConflict "enrollment.exists" if the registration ID is taken.
  virtual Status insert_enrollment(const Enrollment& enrollment) = 0;
  // All but the identifiers and created_at. kNotFound "enrollment.unknown".
  virtual Status update_enrollment(const Enrollment& enrollment) = 0;
  virtual Status remove_enrollment(const ScopeId& scope, const RegistrationId& id) = 0;

  // kConflict "group.exists" if the group ID is taken.
  virtual Status insert_group(const EnrollmentGroup& group) = 0;
  // All but the identifiers and created_at. kNotFound "group.unknown".
  virtual Status update_group(const EnrollmentGroup& group) = 0;
  virtual Status remove_group(const ScopeId& scope, const GroupId& id) = 0;
  // Inserts it, or replaces what is stored under this EK.
  virtual Status put_group_ek(const GroupEk& ek) = 0;
  virtual Status remove_group_ek(const ScopeId& scope, ByteView ek_name) = 0;
  // Removes at most `limit` EKs whose group is gone or was made anew; returns how many.
  virtual Result<std::size_t> purge_group_eks(const ScopeId& scope, std::size_t limit) = 0;

  // Inserts the device or replaces what is stored of it, except created_at. kConflict "device.registration": the
  // registration has another device.
  virtual Status put_device(const Device& device) = 0;
  // Remembers that the device had this SRK and has another now.
  virtual Status note_replaced_srk(const ScopeId& scope, const RegistrationId& id, ByteView srk_name, Timestamp at) = 0;

  virtual Status insert_operation(const Operation& operation) = 0;
  // kWaiting to kAssigned, with its substatus. kNotFound "operation.unknown".
  virtual Status assign_operation(const ScopeId& scope, const Uuid& operation_id, Substatus substatus) = 0;
  virtual Status end_operation(const ScopeId& scope, const Uuid& operation_id, Timestamp at) = 0;
  // Ends every open operation of that registration.
  virtual Status end_operations(const ScopeId& scope, const RegistrationId& id, Timestamp at) = 0;
  // Ends what waits of that EK under that generation of a group, whatever its registration.
  virtual Status end_waiting_operations_of_ek(const ScopeId& scope, const Uuid& enrollment_id, ByteView ek_name,
                                              Timestamp at) = 0;
  // Removes at most `limit` operations of the scope that were created before `before`; returns how many.
  virtual Result<std::size_t> purge_operations(const ScopeId& scope, Timestamp before, std::size_t limit) = 0;

  // Inserts it, or replaces what is stored for that registration.
  virtual Status put_approval(const Approval& approval) = 0;
  virtual Status remove_approval(const ScopeId& scope, const RegistrationId& id) = 0;
  // All of that generation of a group, or those of one EK in it.
  virtual Status remove_approvals_of_group(const ScopeId& scope, const Uuid& enrollment_id) = 0;
  virtual Status remove_approvals_of_ek(const ScopeId& scope, const Uuid& enrollment_id, ByteView ek_name) = 0;
  // Inserts it with a count of 1, or counts up, with its detail and last_at.
  virtual Status raise_alert(const Alert& alert) = 0;
  // kNotFound "alert.unknown".
  virtual Status acknowledge_alert(const ScopeId& scope, const AlertKey& key, Timestamp at) = 0;

  // kConflict "escrow.exists" if the device has one with that number or digest.
  virtual Status insert_escrow_deposit(const EscrowDeposit& deposit) = 0;
};

}  // namespace warifu::provisioning
