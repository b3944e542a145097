#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "tpm_types/command.h"

// What each command that a device sends must do to be safe on a bus that somebody listens to and writes on.
namespace warifu::tpm {

// What the first parameter of the command needs.
enum class RequestRule : std::uint8_t {
  kNone,       // it has no parameters
  kPlain,      // nothing in it is secret
  kEncrypted,  // a session with the decrypt attribute
};

// What the answer needs.
enum class ResponseRule : std::uint8_t {
  kPlain,          // nothing rests on it
  kAuthenticated,  // an HMAC or policy session covers it: authorization, audit or encryption
  kEncrypted,      // a session with the encrypt attribute
};

// What a rule does not fit.
enum class Exception : std::uint8_t {
  kNone,
  kSessionless,  // Part 3 allows the command no sessions
  kSalted,       // it makes one: it must be salted, with AES-128-CFB
  // Of the endorsement and the NULL hierarchy without sessions' protection too, with an empty password and an empty
  // TPM2B_SENSITIVE_CREATE.
  kEmptySensitive,
  kEmptyFirst,  // the first parameter may be clear when it has no bytes
  // Without a session: tpm2-tss reads what it does not know yet so (Esys_TR_FromTPMPublic). A wrong answer gives a
  // wrong Name, and every command that names the object in a session is then refused by the TPM: Names are in cpHash
  // (Part 1). Who needs the answer itself reads it once more in a session.
  kFirstRead,
};

// First parameters that are a TPM2B, the only ones that a session encrypts (Part 1, "Session-based Encryption").
enum class Sized : std::uint8_t { kNeither, kRequest, kResponse, kBoth };

struct CommandRule {
  std::uint32_t code;  // TPM_CC (Part 2, 6.5.2)
  std::string_view name;
  std::uint8_t handles;
  std::uint8_t response_handles;
  std::uint8_t authorized_handles;  // the first of `handles`
  Sized sized;
  RequestRule request;
  ResponseRule response;
  Exception exception;

  constexpr bool has_sized_request() const { return sized == Sized::kRequest || sized == Sized::kBoth; }
  constexpr bool has_sized_response() const { return sized == Sized::kResponse || sized == Sized::kBoth; }
};

class CommandTable {
 public:
  // What programs use.
  static CommandTable production();
  // Knows the same commands and lets their secrets pass in clear: only for the test that shows that a listener on the
  // bus would find them.
  static CommandTable without_protection();

  // nullptr: not a command that a device sends.
  const CommandRule* find(std::uint32_t code) const;
  std::span<const CommandRule> rules() const;
  bool protects() const { return protects_; }

 private:
  explicit CommandTable(bool protects) : protects_(protects) {}
  bool protects_;
};

// Whether these bytes may go to the TPM. All errors are kInternal, for it is our code that made them:
// "tpm.guard.malformed", "tpm.guard.unknown-command", "tpm.guard.password", "tpm.guard.sessions",
// "tpm.guard.request-clear", "tpm.guard.response-clear", "tpm.guard.unauthenticated", "tpm.guard.unsalted".
Status check_command(const CommandTable& table, ByteView command);

// Whether this can be the answer to it: kUnavailable "tpm.bus.altered" when a success has not the sessions that the
// command had, or the sizes lie. That the HMACs in it are right is checked by who has the keys.
Status check_response(const CommandTable& table, ByteView command, ByteView response);

}  // namespace warifu::tpm
