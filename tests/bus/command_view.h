#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "recording.h"

// Reads recorded commands without any code of the product, which is what is being judged.
namespace warifu::bus {

// TPMA_SESSION (TPM 2.0 Part 2, 8.4): decrypt means that the first parameter of the command is encrypted, encrypt that
// the first one of the response is.
inline constexpr std::uint8_t kContinueSession = 0x01;
inline constexpr std::uint8_t kParameterIn = 0x20;
inline constexpr std::uint8_t kParameterOut = 0x40;
inline constexpr std::uint8_t kAudit = 0x80;

inline constexpr std::uint32_t kStartAuthSession = 0x176;      // TPM_CC_StartAuthSession
inline constexpr std::uint32_t kPasswordSession = 0x40000009;  // TPM_RS_PW

// One TPMS_AUTH_COMMAND.
struct SessionUse {
  std::uint32_t handle;
  std::uint8_t attributes;
  Bytes hmac;  // of TPM_RS_PW: the password itself

  bool is_password() const { return handle == kPasswordSession; }
  bool is_hmac() const { return handle >> 24 == 0x02; }
  bool is_policy() const { return handle >> 24 == 0x03; }
};

struct CommandView {
  std::uint32_t code;
  std::vector<std::uint32_t> handles;
  std::vector<SessionUse> sessions;
  Bytes parameters;

  // Some session of it has these attributes.
  bool has(std::uint8_t attributes) const;
};

// "bus.command.*" for a command that is malformed or that this reader does not know.
Result<CommandView> view_command(ByteView command);

// "TPM2_GetRandom"; "0x0000017b" for one that is not known here.
std::string command_name(std::uint32_t code);

// TPM2_StartAuthSession's tpmKey: with TPM_RH_NULL the session has no salt, and who records the bus knows its key.
bool starts_salted_session(const CommandView& command);
// The handle that a successful TPM2_StartAuthSession gave; 0 if there is none.
std::uint32_t started_session(ByteView response);

}  // namespace warifu::bus
