#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// Commands and responses as they are on the TPM's bus (TPM 2.0 Part 1, "Command/Response Structure"). Views live as
// long as the input. Every error names the field and its offset: "tpm.command.<field>", "tpm.response.<field>",
// "wire.truncated", "wire.trailing".
namespace warifu::tpm {

// TPM_ST (Part 2, 6.9).
inline constexpr std::uint16_t kNoSessions = 0x8001;
inline constexpr std::uint16_t kWithSessions = 0x8002;

inline constexpr std::uint32_t kPasswordSession = 0x40000009;  // TPM_RS_PW
inline constexpr std::uint32_t kNullHandle = 0x40000007;       // TPM_RH_NULL

// TPMA_SESSION (Part 2, 8.4).
enum SessionAttribute : std::uint8_t {
  kContinueSession = 0x01,
  kDecryptSession = 0x20,  // the first parameter of the command is encrypted
  kEncryptSession = 0x40,  // the first parameter of the response is
  kAuditSession = 0x80,
};

// The first octet of a handle says what it is (Part 2, 7.2).
constexpr bool is_session_handle(std::uint32_t handle) {
  return handle >> 24 == 0x02 || handle >> 24 == 0x03;
}
constexpr bool is_transient_handle(std::uint32_t handle) {
  return handle >> 24 == 0x80;
}

struct CommandHeader {
  std::uint16_t tag;
  std::uint32_t code;
};

// TPMS_AUTH_COMMAND (Part 2, 10.13.2).
struct CommandSession {
  std::uint32_t handle;
  ByteView nonce;
  std::uint8_t attributes;
  ByteView authorization;  // HMAC, or the password of TPM_RS_PW

  bool is_password() const { return handle == kPasswordSession; }
  bool has(SessionAttribute attribute) const { return (attributes & attribute) != 0; }
  // The TPM's answer is covered by an HMAC over a key that the bus has not seen.
  bool is_authenticated() const { return is_session_handle(handle) && !authorization.empty(); }
};

struct Command {
  CommandHeader header;
  std::vector<std::uint32_t> handles;
  std::vector<CommandSession> sessions;
  ByteView parameters;
};

// Tag and size that agree with each other and the input; the size is the input's.
Result<CommandHeader> parse_command_header(ByteView bytes);
// `handle_count` is that of the command code (Part 3).
Result<Command> parse_command(ByteView bytes, std::size_t handle_count);

// TPMS_AUTH_RESPONSE (Part 2, 10.13.3).
struct ResponseSession {
  ByteView nonce;
  std::uint8_t attributes;
  ByteView authorization;
};

struct Response {
  std::uint16_t tag;
  std::uint32_t code;  // TPM_RC, 0 for success
  std::vector<std::uint32_t> handles;
  std::vector<ResponseSession> sessions;
  ByteView parameters;
};

// A refusal is the header alone. `handle_count` is how many handles a success of this command has.
Result<Response> parse_response(ByteView bytes, std::size_t handle_count);

}  // namespace warifu::tpm
