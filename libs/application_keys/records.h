#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace warifu::application_keys {

// How one version of a key stands.
enum class State : std::uint8_t {
  kPending,  // the device has not shown that its TPM has it
  kActive,
  kSuperseded,  // a later version became active
  kRevoked,     // by an operator, or its enrollment is gone
};
std::string_view to_string(State state);  // "pending", "active", "superseded", "revoked"
Result<State> parse_state(std::string_view name);

struct ApplicationKey {
  ScopeId scope;
  RegistrationId registration_id;
  Label name;
  std::uint32_t version = 1;  // 1, 2, … for each registration and name, for ever
  Uuid enrollment_id;         // of the enrollment or group that the device was under when it was given
  Bytes ek_name;              // of the TPM that the device had then: no other one gets it
  State state = State::kPending;
  std::optional<std::uint8_t> capped_by = {};  // the PCR that must be zero for it to work
  Bytes sealed_key = {};                       // under the envelope key; empty once it has ended
  Bytes srk_name = {};                         // under which it was acknowledged last; empty: never
  Bytes delivered_to = {};  // the SRK for which it was wrapped last; empty: none, or it was lost since
  Timestamp nonce_at = {};  // when the nonce of that acknowledgement was made
  Timestamp created_at = {};
  Timestamp changed_at = {};              // when the state became what it is
  std::optional<Timestamp> told_at = {};  // of a revoked one: when the device said that it has it no longer
  // When the audit log was last told that it was delivered, acknowledged, and lost.
  Timestamp delivery_noted_at = {};
  Timestamp acknowledgement_noted_at = {};
  Timestamp loss_noted_at = {};
};

// What is read; errors are the database's own.
class RecordsView {
 public:
  virtual ~RecordsView() = default;
  // By name, and then by version.
  virtual Result<std::vector<ApplicationKey>> list_keys_of(const ScopeId& scope, const RegistrationId& id,
                                                           std::size_t limit) = 0;
  // Who has keys that have not ended, by registration ID: those after this one.
  virtual Result<std::vector<RegistrationId>> list_holders(const ScopeId& scope,
                                                           const std::optional<RegistrationId>& after,
                                                           std::size_t limit) = 0;
};

class Records : public RecordsView {
 public:
  // kConflict "application-key.exists": that version is there.
  virtual Status insert_key(const ApplicationKey& key) = 0;
  // State, what is sealed, and what is known of its device.
  virtual Status update_key(const ApplicationKey& key) = 0;
  // The same of what a device does again, which has its audit entry of not long before.
  virtual Status note_key(const ApplicationKey& key) = 0;
  virtual Status remove_key(const ApplicationKey& key) = 0;
};

}  // namespace warifu::application_keys
