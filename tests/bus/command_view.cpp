#include "command_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/reader.h"

namespace warifu::bus {
namespace {

constexpr std::uint16_t kSessions = 0x8002;        // TPM_ST_SESSIONS
constexpr std::uint32_t kNullHandle = 0x40000007;  // TPM_RH_NULL

// TPM_CC and the number of handles in its handle area (Part 3).
struct Known {
  std::uint32_t code;
  std::string_view name;
  std::size_t handles;
};
constexpr Known kKnown[] = {
    {0x11F, "NV_UndefineSpaceSpecial", 2},
    {0x120, "EvictControl", 2},
    {0x121, "HierarchyControl", 1},
    {0x122, "NV_UndefineSpace", 2},
    {0x124, "ChangeEPS", 1},
    {0x125, "ChangePPS", 1},
    {0x126, "Clear", 1},
    {0x127, "ClearControl", 1},
    {0x129, "HierarchyChangeAuth", 1},
    {0x12A, "NV_DefineSpace", 1},
    {0x12E, "SetPrimaryPolicy", 1},
    {0x131, "CreatePrimary", 1},
    {0x134, "NV_Increment", 2},
    {0x135, "NV_SetBits", 2},
    {0x136, "NV_Extend", 2},
    {0x137, "NV_Write", 2},
    {0x138, "NV_WriteLock", 2},
    {0x139, "DictionaryAttackLockReset", 1},
    {0x13A, "DictionaryAttackParameters", 1},
    {0x13B, "NV_ChangeAuth", 1},
    {0x13C, "PCR_Event", 1},
    {0x13D, "PCR_Reset", 1},
    {0x13E, "SequenceComplete", 1},
    {0x143, "SelfTest", 0},
    {0x144, "Startup", 0},
    {0x145, "Shutdown", 0},
    {0x146, "StirRandom", 0},
    {0x147, "ActivateCredential", 2},
    {0x148, "Certify", 2},
    {0x149, "PolicyNV", 3},
    {0x14A, "CertifyCreation", 2},
    {0x14B, "Duplicate", 2},
    {0x14E, "NV_Read", 2},
    {0x14F, "NV_ReadLock", 2},
    {0x150, "ObjectChangeAuth", 2},
    {0x151, "PolicySecret", 2},
    {0x153, "Create", 1},
    {0x155, "HMAC", 1},
    {0x156, "Import", 1},
    {0x157, "Load", 1},
    {0x158, "Quote", 1},
    {0x159, "RSA_Decrypt", 1},
    {0x15B, "HMAC_Start", 1},
    {0x15C, "SequenceUpdate", 1},
    {0x15D, "Sign", 1},
    {0x15E, "Unseal", 1},
    {0x160, "PolicySigned", 2},
    {0x161, "ContextLoad", 0},
    {0x162, "ContextSave", 1},
    {0x165, "FlushContext", 0},
    {0x167, "LoadExternal", 0},
    {0x168, "MakeCredential", 1},
    {0x169, "NV_ReadPublic", 1},
    {0x16A, "PolicyAuthorize", 1},
    {0x16B, "PolicyAuthValue", 1},
    {0x16C, "PolicyCommandCode", 1},
    {0x171, "PolicyOR", 1},
    {0x173, "ReadPublic", 1},
    {0x174, "RSA_Encrypt", 1},
    {kStartAuthSession, "StartAuthSession", 2},
    {0x177, "VerifySignature", 1},
    {0x17A, "GetCapability", 0},
    {0x17B, "GetRandom", 0},
    {0x17C, "GetTestResult", 0},
    {0x17D, "Hash", 0},
    {0x17E, "PCR_Read", 0},
    {0x17F, "PolicyPCR", 1},
    {0x180, "PolicyRestart", 1},
    {0x181, "ReadClock", 0},
    {0x182, "PCR_Extend", 1},
    {0x184, "NV_Certify", 3},
    {0x189, "PolicyGetDigest", 1},
    {0x18A, "TestParms", 0},
    {0x18C, "PolicyPassword", 1},
    {0x18F, "PolicyNvWritten", 1},
};

const Known* find_known(std::uint32_t code) {
  const auto found = std::ranges::find(kKnown, code, &Known::code);
  return found == std::end(kKnown) ? nullptr : &*found;
}

Result<std::vector<SessionUse>> read_sessions(wire::Reader& reader) {
  TRY(const std::uint32_t size, reader.u32("authorizationSize"));
  TRY(const ByteView area, reader.bytes(size, "authorizations"));
  wire::Reader inner(area);
  std::vector<SessionUse> out;
  while (inner.remaining() > 0) {
    SessionUse use{};
    TRY(use.handle, inner.u32("sessionHandle"));
    TRY_STATUS(inner.sized16("nonceCaller"));
    TRY(use.attributes, inner.u8("sessionAttributes"));
    TRY(const ByteView hmac, inner.sized16("hmac"));
    use.hmac = to_bytes(hmac);
    out.push_back(std::move(use));
  }
  return out;
}

}  // namespace

bool CommandView::has(std::uint8_t attributes) const {
  return std::ranges::any_of(sessions, [=](const SessionUse& use) {
    return !use.is_password() && (use.attributes & attributes) == attributes;
  });
}

Result<CommandView> view_command(ByteView command) {
  wire::Reader reader(command);
  TRY(const std::uint16_t tag, reader.u16("tag"));
  TRY(const std::uint32_t size, reader.u32("commandSize"));
  if (size != command.size()) return invalid_input("bus.command.size", "the command has another size than it says");
  CommandView out{};
  TRY(out.code, reader.u32("commandCode"));
  const Known* known = find_known(out.code);
  if (known == nullptr) return invalid_input("bus.command.unknown", "unknown command " + command_name(out.code));
  for (std::size_t i = 0; i < known->handles; ++i) {
    TRY(const std::uint32_t handle, reader.u32("handle"));
    out.handles.push_back(handle);
  }
  if (tag == kSessions) {
    TRY(out.sessions, read_sessions(reader));
  }
  TRY(const ByteView parameters, reader.bytes(reader.remaining(), "parameters"));
  out.parameters = to_bytes(parameters);
  return out;
}

std::string command_name(std::uint32_t code) {
  const Known* known = find_known(code);
  return known == nullptr ? fmt::format("0x{:08x}", code) : fmt::format("TPM2_{}", known->name);
}

bool starts_salted_session(const CommandView& command) {
  return command.code == kStartAuthSession && command.handles.front() != kNullHandle;
}

std::uint32_t started_session(ByteView response) {
  if (code_of(response) != 0) return 0;
  wire::Reader reader(response.subspan(std::min(response.size(), kHeaderSize)));
  const auto handle = reader.u32("sessionHandle");
  return handle ? *handle : 0;
}

}  // namespace warifu::bus
