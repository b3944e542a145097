#include "tpm_types/command_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "tpm_types/algorithm.h"
#include "tpm_types/policy_digest.h"
#include "wire/reader.h"

namespace warifu::tpm {
namespace {

using enum RequestRule;
using Answer = ResponseRule;
using Except = Exception;

// By command code. Handles and parameters are those of Part 3; which of a command's secrets are worth encrypting is
// said where it is not obvious.
constexpr CommandRule kRules[] = {
    {0x120, "TPM2_EvictControl", 2, 0, 1, Sized::kNeither, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x122, "TPM2_NV_UndefineSpace", 2, 0, 1, Sized::kNeither, kNone, Answer::kAuthenticated, Except::kNone},
    {0x126, "TPM2_Clear", 1, 0, 1, Sized::kNeither, kNone, Answer::kAuthenticated, Except::kNone},
    {0x129, "TPM2_HierarchyChangeAuth", 1, 0, 1, Sized::kRequest, kEncrypted, Answer::kAuthenticated, Except::kNone},
    // An index may have an auth value, and whoever sees it may write the index.
    {0x12A, "TPM2_NV_DefineSpace", 1, 0, 1, Sized::kRequest, kEncrypted, Answer::kAuthenticated, Except::kNone},
    // The EK is made before there is a session to be had; its Name is compared with the pinned one afterwards. So is
    // that of the NULL hierarchy's primary, whose Name alone is wanted at the start of a boot: who forges it raises an
    // alarm, and nobody knows today what the next TPM Reset makes of it.
    {0x131, "TPM2_CreatePrimary", 1, 1, 1, Sized::kBoth, kEncrypted, Answer::kAuthenticated, Except::kEmptySensitive},
    {0x134, "TPM2_NV_Increment", 2, 0, 1, Sized::kNeither, kNone, Answer::kAuthenticated, Except::kNone},
    {0x136, "TPM2_NV_Extend", 2, 0, 1, Sized::kRequest, kEncrypted, Answer::kAuthenticated, Except::kNone},
    {0x137, "TPM2_NV_Write", 2, 0, 1, Sized::kRequest, kEncrypted, Answer::kAuthenticated, Except::kNone},
    {0x139, "TPM2_DictionaryAttackLockReset", 1, 0, 1, Sized::kNeither, kNone, Answer::kAuthenticated, Except::kNone},
    {0x13A, "TPM2_DictionaryAttackParameters", 1, 0, 1, Sized::kNeither, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x143, "TPM2_SelfTest", 0, 0, 0, Sized::kNeither, kPlain, Answer::kPlain, Except::kNone},
    {0x144, "TPM2_Startup", 0, 0, 0, Sized::kNeither, kPlain, Answer::kPlain, Except::kSessionless},
    // Who forges its success makes the next start a disorderly one, which pulling the plug does as well.
    {0x145, "TPM2_Shutdown", 0, 0, 0, Sized::kNeither, kPlain, Answer::kPlain, Except::kNone},
    {0x146, "TPM2_StirRandom", 0, 0, 0, Sized::kRequest, kEncrypted, Answer::kPlain, Except::kNone},
    // The blob is ciphertext; what comes out of it is the key that opens the rest.
    {0x147, "TPM2_ActivateCredential", 2, 0, 2, Sized::kBoth, kPlain, Answer::kEncrypted, Except::kNone},
    {0x148, "TPM2_Certify", 2, 0, 2, Sized::kBoth, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x149, "TPM2_PolicyNV", 3, 0, 1, Sized::kRequest, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x14A, "TPM2_CertifyCreation", 2, 0, 1, Sized::kBoth, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x14E, "TPM2_NV_Read", 2, 0, 1, Sized::kResponse, kPlain, Answer::kEncrypted, Except::kNone},
    // The secret that it proves to know is in the session's HMAC; its parameters are public.
    {0x151, "TPM2_PolicySecret", 2, 0, 1, Sized::kBoth, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x153, "TPM2_Create", 1, 0, 1, Sized::kBoth, kEncrypted, Answer::kAuthenticated, Except::kNone},
    // A MAC of ours is a token's signature, and a token works for whoever bears it.
    {0x155, "TPM2_HMAC", 1, 0, 1, Sized::kBoth, kEncrypted, Answer::kEncrypted, Except::kNone},
    {0x156, "TPM2_Import", 1, 0, 1, Sized::kBoth, kEncrypted, Answer::kAuthenticated, Except::kNone},
    // What is loaded is ciphertext already.
    {0x157, "TPM2_Load", 1, 1, 1, Sized::kBoth, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x158, "TPM2_Quote", 1, 0, 1, Sized::kBoth, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x15D, "TPM2_Sign", 1, 0, 1, Sized::kRequest, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x15E, "TPM2_Unseal", 1, 0, 1, Sized::kResponse, kNone, Answer::kEncrypted, Except::kNone},
    // Saved contexts are ciphertext with an HMAC of the TPM.
    {0x161, "TPM2_ContextLoad", 0, 1, 0, Sized::kNeither, kPlain, Answer::kPlain, Except::kSessionless},
    {0x162, "TPM2_ContextSave", 1, 0, 0, Sized::kNeither, kNone, Answer::kPlain, Except::kSessionless},
    // Its handle stands among the parameters (Part 3).
    {0x165, "TPM2_FlushContext", 0, 0, 0, Sized::kNeither, kPlain, Answer::kPlain, Except::kSessionless},
    // A public key alone is no secret.
    {0x167, "TPM2_LoadExternal", 0, 1, 0, Sized::kBoth, kEncrypted, Answer::kAuthenticated, Except::kEmptyFirst},
    {0x169, "TPM2_NV_ReadPublic", 1, 0, 0, Sized::kResponse, kNone, Answer::kAuthenticated, Except::kFirstRead},
    {0x16A, "TPM2_PolicyAuthorize", 1, 0, 0, Sized::kRequest, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x16B, "TPM2_PolicyAuthValue", 1, 0, 0, Sized::kNeither, kNone, Answer::kAuthenticated, Except::kNone},
    {0x16C, "TPM2_PolicyCommandCode", 1, 0, 0, Sized::kNeither, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x171, "TPM2_PolicyOR", 1, 0, 0, Sized::kNeither, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x173, "TPM2_ReadPublic", 1, 0, 0, Sized::kResponse, kNone, Answer::kAuthenticated, Except::kFirstRead},
    {0x176, "TPM2_StartAuthSession", 2, 1, 0, Sized::kBoth, kPlain, Answer::kPlain, Except::kSalted},
    {0x177, "TPM2_VerifySignature", 1, 0, 0, Sized::kRequest, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x17A, "TPM2_GetCapability", 0, 0, 0, Sized::kNeither, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x17B, "TPM2_GetRandom", 0, 0, 0, Sized::kResponse, kPlain, Answer::kEncrypted, Except::kNone},
    {0x17E, "TPM2_PCR_Read", 0, 0, 0, Sized::kNeither, kPlain, Answer::kAuthenticated, Except::kNone},
    // Whoever changes the selection on its way changes what a secret is sealed to.
    {0x17F, "TPM2_PolicyPCR", 1, 0, 0, Sized::kRequest, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x180, "TPM2_PolicyRestart", 1, 0, 0, Sized::kNeither, kNone, Answer::kAuthenticated, Except::kNone},
    {0x181, "TPM2_ReadClock", 0, 0, 0, Sized::kNeither, kNone, Answer::kAuthenticated, Except::kNone},
    {0x182, "TPM2_PCR_Extend", 1, 0, 1, Sized::kNeither, kPlain, Answer::kAuthenticated, Except::kNone},
    {0x189, "TPM2_PolicyGetDigest", 1, 0, 0, Sized::kResponse, kNone, Answer::kAuthenticated, Except::kNone},
};

constexpr bool is_consistent(const CommandRule& rule) {
  const bool encrypts = rule.request == kEncrypted || rule.response == Answer::kEncrypted;
  if (rule.request == kEncrypted && !rule.has_sized_request()) return false;
  if (rule.request == kNone && rule.has_sized_request()) return false;
  if (rule.response == Answer::kEncrypted && !rule.has_sized_response()) return false;
  if (rule.exception == Except::kSessionless && (encrypts || rule.response != Answer::kPlain)) return false;
  return rule.authorized_handles <= rule.handles && rule.response_handles <= 1;
}

constexpr bool is_ascending() {
  for (std::size_t i = 1; i < std::size(kRules); ++i) {
    if (kRules[i - 1].code >= kRules[i].code) return false;
  }
  return true;
}

static_assert(std::ranges::all_of(kRules, is_consistent), "only a TPM2B can be encrypted");
static_assert(is_ascending(), "find() is a binary search, and no command may stand here twice");

Error refuse(const CommandRule& rule, std::string_view code, std::string_view why) {
  return {ErrorKind::kInternal, code, fmt::format("{} was not sent: {}", rule.name, why), std::string(rule.name)};
}

bool any_session(const Command& command, SessionAttribute attribute) {
  return std::ranges::any_of(command.sessions,
                             [&](const CommandSession& s) { return s.is_authenticated() && s.has(attribute); });
}

bool is_authenticated(const Command& command) {
  return std::ranges::any_of(command.sessions, [](const CommandSession& s) { return s.is_authenticated(); });
}

// The first parameter has no bytes: its size field is zero.
bool has_empty_first(const Command& command) {
  return command.parameters.size() >= 2 && command.parameters[0] == 0 && command.parameters[1] == 0;
}

// TPM2B_SENSITIVE_CREATE (Part 2, 11.1.16) with neither auth value nor data.
bool has_empty_sensitive(const Command& command) {
  static constexpr std::array<std::uint8_t, 6> kEmpty = {0, 4, 0, 0, 0, 0};
  return command.parameters.size() >= kEmpty.size() &&
         std::ranges::equal(command.parameters.first(kEmpty.size()), kEmpty);
}

// A persistent object or an NV index: what a handle stands for is not known before it is read.
bool is_lasting_handle(std::uint32_t handle) {
  return handle >> 24 == 0x81 || handle >> 24 == 0x01;
}

bool is_made_without_session(std::uint32_t hierarchy) {
  return hierarchy == kRhEndorsement || hierarchy == kRhNull;
}

bool is_excepted(const CommandRule& rule, const Command& command) {
  switch (rule.exception) {
    case Except::kEmptySensitive:
      return is_made_without_session(command.handles.front()) && has_empty_sensitive(command);
    case Except::kFirstRead:
      return is_lasting_handle(command.handles.front());
    default:
      return false;
  }
}

// Part 3, TPM2_StartAuthSession: nonceCaller, encryptedSalt, sessionType, symmetric, authHash.
Result<bool> is_salted(const Command& command) {
  wire::Reader reader(command.parameters);
  TRY_STATUS(reader.sized16("nonceCaller"));
  TRY(const ByteView salt, reader.sized16("encryptedSalt"));
  TRY_STATUS(reader.u8("sessionType"));
  TRY(const std::uint16_t symmetric, reader.u16("symmetric.algorithm"));
  if (symmetric != static_cast<std::uint16_t>(AlgorithmId::kAes)) return false;
  TRY(const std::uint16_t key_bits, reader.u16("symmetric.keyBits"));
  TRY(const std::uint16_t mode, reader.u16("symmetric.mode"));
  TRY(const std::uint16_t hash, reader.u16("authHash"));
  TRY_STATUS(reader.expect_done("TPM2_StartAuthSession"));
  return command.handles.front() != kNullHandle && !salt.empty() && key_bits >= 128 &&
         mode == static_cast<std::uint16_t>(AlgorithmId::kCfb) &&
         hash != static_cast<std::uint16_t>(AlgorithmId::kSha1);
}

Status check_protection(const CommandRule& rule, const Command& command) {
  if (rule.exception == Except::kSalted) {
    TRY(const bool salted, is_salted(command));
    if (!salted) return refuse(rule, "tpm.guard.unsalted", "expected a salted session with AES-CFB");
    return {};
  }
  if (is_excepted(rule, command)) return {};
  const bool empty_first = rule.exception == Except::kEmptyFirst && has_empty_first(command);
  if (rule.request == kEncrypted && !empty_first && !any_session(command, kDecryptSession))
    return refuse(rule, "tpm.guard.request-clear", "its first parameter is secret and no session encrypts it");
  if (rule.response == Answer::kEncrypted && !any_session(command, kEncryptSession))
    return refuse(rule, "tpm.guard.response-clear", "its answer is secret and no session encrypts it");
  if (rule.response == Answer::kAuthenticated && !is_authenticated(command))
    return refuse(rule, "tpm.guard.unauthenticated", "a decision rests on its answer and no session protects that");
  return {};
}

Status check_sessions(const CommandRule& rule, const Command& command) {
  const bool with_password = std::ranges::any_of(command.sessions, [](const CommandSession& session) {
    return session.is_password() && !session.authorization.empty();
  });
  if (with_password) return refuse(rule, "tpm.guard.password", "a password would be readable on the bus");
  if (rule.exception == Except::kSessionless && !command.sessions.empty())
    return refuse(rule, "tpm.guard.sessions", "the TPM allows it no sessions");
  if (command.sessions.size() < rule.authorized_handles) {
    return refuse(rule, "tpm.guard.sessions",
                  fmt::format("expected {} authorizations, {} came", rule.authorized_handles, command.sessions.size()));
  }
  return {};
}

Status check_parsed(const CommandTable& table, ByteView bytes) {
  TRY(const CommandHeader header, parse_command_header(bytes));
  const CommandRule* rule = table.find(header.code);
  if (rule == nullptr) {
    return Error{ErrorKind::kInternal, "tpm.guard.unknown-command",
                 fmt::format("command 0x{:08x} was not sent: it is not in the table", header.code)};
  }
  TRY(const Command command, parse_command(bytes, rule->handles));
  TRY_STATUS(check_sessions(*rule, command));
  return table.protects() ? check_protection(*rule, command) : Status();
}

Error altered(const CommandRule& rule, const std::string& why, std::string where = {}) {
  return {ErrorKind::kUnavailable, "tpm.bus.altered",
          fmt::format("the answer to {} is not one that a TPM gives: {}", rule.name, why), std::move(where)};
}

Status check_response_sessions(const CommandRule& rule, const Command& command, const Response& response) {
  if (response.tag != command.header.tag) {
    return altered(rule, fmt::format("expected the tag 0x{:04x}, 0x{:04x} came", command.header.tag, response.tag));
  }
  if (response.sessions.size() != command.sessions.size()) {
    return altered(rule,
                   fmt::format("expected {} sessions, {} came", command.sessions.size(), response.sessions.size()));
  }
  for (std::size_t i = 0; i < response.sessions.size(); ++i) {
    const bool authenticated = !response.sessions[i].authorization.empty();
    if (authenticated != command.sessions[i].is_authenticated())
      return altered(rule, fmt::format("session {} comes {} an HMAC", i + 1, authenticated ? "with" : "without"));
  }
  return {};
}

}  // namespace

CommandTable CommandTable::production() {
  return CommandTable(true);
}

CommandTable CommandTable::without_protection() {
  return CommandTable(false);
}

std::span<const CommandRule> CommandTable::rules() const {
  return kRules;
}

const CommandRule* CommandTable::find(std::uint32_t code) const {
  const auto* rule = std::ranges::lower_bound(kRules, code, {}, &CommandRule::code);
  return rule != std::end(kRules) && rule->code == code ? rule : nullptr;
}

Status check_command(const CommandTable& table, ByteView command) {
  Status checked = check_parsed(table, command);
  if (checked || checked.error().kind == ErrorKind::kInternal) return checked;
  return Error{ErrorKind::kInternal, "tpm.guard.malformed", checked.error().message, checked.error().where};
}

Status check_response(const CommandTable& table, ByteView command, ByteView response) {
  TRY(const CommandHeader header, parse_command_header(command));
  const CommandRule* rule = table.find(header.code);
  if (rule == nullptr) return Error{ErrorKind::kInternal, "tpm.guard.unknown-command", "an answer to no known command"};
  TRY(const Command sent, parse_command(command, rule->handles));
  const Result<Response> parsed = parse_response(response, rule->response_handles);
  if (!parsed) return altered(*rule, parsed.error().message, parsed.error().where);
  return parsed->code == 0 ? check_response_sessions(*rule, sent, *parsed) : Status();
}

}  // namespace warifu::tpm
