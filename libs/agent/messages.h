#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "tcb_protocol/messages.h"

// The bodies of the DPS device API (docs/protocols/dps.md) and of the native device API, from the device's side. The
// server is known by then, but what it says is still bounded and checked: kRefused "server.reply", `where` is the
// field.
namespace warifu::agent {

// With the EK certificate of the TPM, if it has one, in members that only a server like ours reads.
std::string registration_body(const tcb_protocol::Identity::Answer& device,
                              const tcb_protocol::EkCertificate::Answer& certificate);
std::string escrow_body(ByteView package);

// The authenticationKey of a 401 that is a challenge; nullopt when it is an error.
Result<std::optional<Bytes>> parse_challenge(std::string_view body);

// An operation ID as it may stand in a path: letters, digits, ".", "_" and "-", at most 128.
Result<std::string> parse_accepted(std::string_view body);

struct Assigning {
  // What our own server says the device has to do meanwhile; for people: printable, cut.
  std::string code = {};     // "attestation.missing", "approval.open"; empty: nothing is known
  std::string message = {};  // "it has not attested yet"
  bool waits_for_attestation() const { return code.starts_with("attestation."); }
};
struct Assignment {
  std::string hub;
  DeviceId device;
  Bytes authentication_key;
};
struct Failed {
  std::string status;  // "failed", "disabled"
  std::string message;
};
using Operation = std::variant<Assigning, Assignment, Failed>;
// It must be about this registration; an assignment without a hub, a device or a key is none.
Result<Operation> parse_operation(std::string_view body, const RegistrationId& registration);

// The escrow certificate first, without the root.
Result<std::vector<Bytes>> parse_escrow_chain(std::string_view body);

// What an error answer says, as far as it can be read; for people: printable, cut.
struct ServerError {
  std::string code;  // ours: "enrollment.unknown"; from another server perhaps empty
  std::string message;
  std::string tracking_id;
};
ServerError parse_server_error(std::string_view body);

}  // namespace warifu::agent
