#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/crl.h"
#include "crypto/serial_number.h"
#include "pki/device_certificate.h"

namespace warifu::device_ca {

// How a certificate stands.
enum class State : std::uint8_t {
  kIssuing,   // its number is drawn; what the signer makes of it was not kept yet, and nobody has it
  kInactive,  // issued, and good for nothing until somebody activates it
  kActive,
  kHeld,  // suspended by an operator, who may resume it
  kRevoked,
};
std::string_view to_string(State state);  // "issuing", "inactive", "active", "held", "revoked"
Result<State> parse_state(std::string_view name);

// Through which door it was asked for.
enum class Door : std::uint8_t { kNative, kEst, kCmp };
std::string_view to_string(Door door);  // "native", "est", "cmp"
Result<Door> parse_door(std::string_view name);

// What a revocation for ever may say of a device's certificate, by the names of RFC 5280 §5.3.1. A hold is a
// suspension, and what belongs to CAs is not a device's.
bool is_reason_for_a_device(crypto::RevocationReason reason);
std::string_view reason_name(crypto::RevocationReason reason);  // "keyCompromise"; of any other reason "other"
// kInvalidInput "certificate.reason", naming those there are.
Result<crypto::RevocationReason> parse_reason(std::string_view name);

// The statement of provisioning under which a registration was given something. One that is deleted and made anew is
// another one: what was given under the first stays void.
struct Ground {
  Uuid enrollment_id;
  std::optional<GroupId> group = {};  // absent: an enrollment of its own
  friend bool operator==(const Ground&, const Ground&) = default;
};

struct DeviceCertificate {
  ScopeId scope;
  crypto::SerialNumber serial;
  RegistrationId registration_id;
  Ground ground;
  pki::DeviceIdentity identity = pki::DeviceIdentity::kLdevid;
  pki::KeyProtection protection = pki::KeyProtection::kTpm;
  State state = State::kIssuing;
  Door door = Door::kNative;
  Bytes key_sha256 = {};       // of its SubjectPublicKeyInfo
  Bytes public_key = {};       // SubjectPublicKeyInfo
  Bytes ek_name = {};          // of the TPM that the key is in; empty: none
  Bytes hardware_serial = {};  // of an IDevID
  Timestamp not_before = {};   // as they were ordered: an LDevID ends with its issuer, if that is earlier
  Timestamp not_after = {};
  Timestamp created_at = {};
  Timestamp changed_at = {};                            // when the state became what it is
  std::optional<Timestamp> confirm_by = {};             // until when whoever asked must say that he has it
  std::optional<crypto::RevocationReason> reason = {};  // of one that is revoked
  bool is_late = false;                                 // it took the place of one that had expired
  Bytes certificate = {};                               // DER; empty while kIssuing
};

// A key that a device's TPM proved to hold, so that it may be certified.
struct ProvenDeviceKey {
  ScopeId scope;
  Bytes key_sha256;
  RegistrationId registration_id;
  Ground ground;
  pki::DeviceIdentity identity = pki::DeviceIdentity::kLdevid;
  Bytes public_key = {};  // SubjectPublicKeyInfo
  Bytes ek_name = {};
  Bytes ak_name = {};
  Timestamp nonce_at = {};  // when its nonce was made: no proof of this registration with an earlier one is taken again
  Timestamp proven_at = {};
};

// What a device shows that has nothing else yet, once.
struct DeviceSecret {
  ScopeId scope;
  std::string reference;
  RegistrationId registration_id;
  Ground ground;
  Bytes sealed_secret = {};
  Timestamp created_at = {};
  Timestamp expires_at = {};
  std::string spent_for = {};  // what it was used for: the same may come again
};

// A page of a list of certificates: what comes after this one, at most `limit`.
struct Page {
  std::optional<crypto::SerialNumber> after = {};
  std::size_t limit = 100;
};

// One that handshakes and lists must know of.
struct Standing {
  crypto::SerialNumber serial;
  State state = State::kActive;
  std::optional<crypto::RevocationReason> reason = {};
  Timestamp changed_at = {};
  Timestamp not_after = {};
};
struct StandingKey {
  Timestamp changed_at = {};
  Bytes serial = {};
};

// What is read; errors are the database's own.
class RecordsView {
 public:
  virtual ~RecordsView() = default;

  virtual Result<std::optional<DeviceCertificate>> find_certificate(const ScopeId& scope,
                                                                    const crypto::SerialNumber& serial) = 0;
  // Whose certificate that is, whatever the scope: who shows one does not say it.
  virtual Result<std::optional<DeviceCertificate>> find_certificate_anywhere(const crypto::SerialNumber& serial) = 0;
  // By serial number.
  virtual Result<std::vector<DeviceCertificate>> list_certificates(const ScopeId& scope, const Page& page) = 0;
  // The newest first. A page after a certificate that is not there begins at the newest.
  virtual Result<std::vector<DeviceCertificate>> list_certificates_of(const ScopeId& scope, const RegistrationId& id,
                                                                      const Page& page) = 0;
  // The newest first, at most `limit`.
  virtual Result<std::vector<DeviceCertificate>> list_certificates_of_key(const ScopeId& scope, ByteView key_sha256,
                                                                          std::size_t limit) = 0;
  // Those whose confirmation did not come in time.
  virtual Result<std::vector<DeviceCertificate>> list_unconfirmed(const ScopeId& scope, Timestamp before,
                                                                  std::size_t limit) = 0;
  // How they stand, in the order in which they came to stand so, after `after`: those that were issued, and so also
  // those that are active (again).
  virtual Result<std::vector<Standing>> list_standings(const ScopeId& scope, const StandingKey& after,
                                                       std::size_t limit) = 0;
  // Only those that are not good: inactive, held, revoked; and that end after `now`. By serial number.
  virtual Result<std::vector<Standing>> list_not_good(const ScopeId& scope, Timestamp now, const Page& page) = 0;

  // Whether one of that registration waits for somebody to activate it.
  virtual Result<bool> has_inactive(const ScopeId& scope, const RegistrationId& id) = 0;
  // Whether one of that registration is suspended.
  virtual Result<bool> has_held(const ScopeId& scope, const RegistrationId& id) = 0;
  // Whether one of that key was revoked because somebody else has the key.
  virtual Result<bool> has_compromised(const ScopeId& scope, ByteView key_sha256) = 0;

  virtual Result<std::optional<ProvenDeviceKey>> find_key(const ScopeId& scope, ByteView key_sha256) = 0;
  // The newest first, at most `limit`.
  virtual Result<std::vector<ProvenDeviceKey>> list_keys_of(const ScopeId& scope, const RegistrationId& id,
                                                            std::size_t limit) = 0;

  // Whatever the scope: who shows one does not say it.
  virtual Result<std::optional<DeviceSecret>> find_secret_anywhere(std::string_view reference) = 0;
};

class Records : public RecordsView {
 public:
  virtual Status insert_certificate(const DeviceCertificate& certificate) = 0;
  // State, reason, confirm_by, changed_at and the certificate itself.
  virtual Status update_certificate(const DeviceCertificate& certificate) = 0;

  // Inserts it, or takes the place of the one of that key.
  virtual Status put_key(const ProvenDeviceKey& key) = 0;
  virtual Status remove_key(const ScopeId& scope, ByteView key_sha256) = 0;

  // Inserts it, or takes the place of the one with that reference.
  virtual Status put_secret(const DeviceSecret& secret) = 0;
  // At most `limit` that have expired before; how many.
  virtual Result<std::size_t> purge_secrets(const ScopeId& scope, Timestamp before, std::size_t limit) = 0;
};

}  // namespace warifu::device_ca
