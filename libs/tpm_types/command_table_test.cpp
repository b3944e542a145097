#include "tpm_types/command_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/writer.h"

namespace warifu::tpm {
namespace {

constexpr std::uint32_t kOwner = 0x40000001;
constexpr std::uint32_t kSession = 0x02000000;

struct Session {
  std::uint32_t handle = kSession;
  std::uint8_t attributes = kContinueSession;
  std::size_t authorization = 32;
};

Session secrets() {
  return {.attributes = kContinueSession | kDecryptSession | kEncryptSession};
}
Session audit() {
  return {.attributes = kContinueSession | kAuditSession};
}
Session password(std::size_t size = 0) {
  return {.handle = kPasswordSession, .authorization = size};
}

struct Sent {
  std::uint32_t code;
  std::vector<std::uint32_t> handles = {};
  std::vector<Session> sessions = {};
  Bytes parameters = {};
};

Bytes bytes_of(const Sent& sent) {
  wire::Writer sessions;
  for (const Session& session : sent.sessions) {
    const bool is_password = session.handle == kPasswordSession;
    sessions.u32(session.handle).sized16(Bytes(is_password ? 0 : 32)).u8(session.attributes);
    sessions.sized16(Bytes(session.authorization, 0x55));
  }
  wire::Writer body;
  for (const std::uint32_t handle : sent.handles)
    body.u32(handle);
  if (!sent.sessions.empty()) body.u32(static_cast<std::uint32_t>(sessions.view().size())).bytes(sessions.view());
  body.bytes(sent.parameters);
  return wire::Writer()
      .u16(sent.sessions.empty() ? kNoSessions : kWithSessions)
      .u32(static_cast<std::uint32_t>(10 + body.view().size()))
      .u32(sent.code)
      .bytes(body.view())
      .take();
}

std::string verdict(const Sent& sent, const CommandTable& table = CommandTable::production()) {
  const Status allowed = check_command(table, bytes_of(sent));
  return allowed ? "sent" : std::string(allowed.error().code);
}

Bytes start_auth_session(std::size_t salt, std::uint16_t symmetric, std::uint16_t hash) {
  wire::Writer out;
  out.sized16(Bytes(32)).sized16(Bytes(salt)).u8(0).u16(symmetric);
  if (symmetric != 0x0010) out.u16(128).u16(0x0043);
  return out.u16(hash).take();
}

const Bytes kEmptySensitive = {0, 4, 0, 0, 0, 0, 9, 9};
const Bytes kSomeSensitive = {0, 6, 0, 0, 0, 2, 7, 7};

TEST(CommandTable, SendsWhatIsProtectedAndNothingElse) {
  struct Row {
    std::string_view what;
    Sent sent;
    std::string_view expected;
  };
  const Row rows[] = {
      {"Unseal encrypted", {0x15E, {1}, {secrets()}}, "sent"},
      {"Unseal authenticated only", {0x15E, {1}, {audit()}}, "tpm.guard.response-clear"},
      {"Unseal by policy, encrypted by another", {0x15E, {1}, {{.handle = 0x03000000}, secrets()}}, "sent"},
      {"Create encrypted", {0x153, {1}, {secrets()}, kSomeSensitive}, "sent"},
      {"Create authenticated", {0x153, {1}, {{}}, kSomeSensitive}, "tpm.guard.request-clear"},
      {"Create of nothing, still", {0x153, {1}, {{}}, kEmptySensitive}, "tpm.guard.request-clear"},
      {"the EK, before there is a session", {0x131, {0x4000000B}, {password()}, kEmptySensitive}, "sent"},
      {"the NULL primary, without a session", {0x131, {0x40000007}, {password()}, kEmptySensitive}, "sent"},
      {"a NULL primary with a secret", {0x131, {0x40000007}, {password()}, kSomeSensitive}, "tpm.guard.request-clear"},
      {"an EK with a secret", {0x131, {0x4000000B}, {password()}, kSomeSensitive}, "tpm.guard.request-clear"},
      {"a primary that is no EK", {0x131, {kOwner}, {password()}, kEmptySensitive}, "tpm.guard.request-clear"},
      {"a password", {0x131, {0x4000000B}, {password(4)}, kEmptySensitive}, "tpm.guard.password"},
      {"a password behind a session", {0x15E, {1}, {secrets(), password(1)}}, "tpm.guard.password"},
      {"encryption with a session that has no HMAC",
       {0x15E, {1}, {{.attributes = kEncryptSession, .authorization = 0}}},
       "tpm.guard.response-clear"},
      {"attributes of an empty password",
       {0x15E, {1}, {{kPasswordSession, kEncryptSession, 0}}},
       "tpm.guard.response-clear"},
      {"PCR_Read audited", {0x17E, {}, {audit()}, {0, 0, 0, 0}}, "sent"},
      {"PCR_Read", {0x17E, {}, {}, {0, 0, 0, 0}}, "tpm.guard.unauthenticated"},
      {"Clear authorized", {0x126, {0x4000000A}, {{}}}, "sent"},
      {"Clear with an empty password", {0x126, {0x4000000A}, {password()}}, "tpm.guard.unauthenticated"},
      {"Clear without anything", {0x126, {0x4000000A}}, "tpm.guard.sessions"},
      {"ActivateCredential", {0x147, {1, 2}, {secrets(), {.handle = 0x03000000}}, {0, 0}}, "sent"},
      {"ActivateCredential with one authorization", {0x147, {1, 2}, {secrets()}, {0, 0}}, "tpm.guard.sessions"},
      {"a public key alone", {0x167, {}, {audit()}, {0, 0, 1, 1}}, "sent"},
      {"a private key", {0x167, {}, {audit()}, {0, 1, 1, 1}}, "tpm.guard.request-clear"},
      {"what a persistent handle is", {0x173, {0x81010001}}, "sent"},
      {"what a transient handle is", {0x173, {0x80000001}}, "tpm.guard.unauthenticated"},
      {"the same, audited", {0x173, {0x80000001}, {audit()}}, "sent"},
      {"a salted session", {0x176, {1, kNullHandle}, {}, start_auth_session(256, 6, 11)}, "sent"},
      {"a session salted to nothing",
       {0x176, {kNullHandle, kNullHandle}, {}, start_auth_session(256, 6, 11)},
       "tpm.guard.unsalted"},
      {"a session without salt", {0x176, {1, kNullHandle}, {}, start_auth_session(0, 6, 11)}, "tpm.guard.unsalted"},
      {"a session that cannot encrypt",
       {0x176, {1, kNullHandle}, {}, start_auth_session(256, 0x10, 11)},
       "tpm.guard.unsalted"},
      {"a session with SHA-1", {0x176, {1, kNullHandle}, {}, start_auth_session(256, 6, 4)}, "tpm.guard.unsalted"},
      {"a session cut short", {0x176, {1, kNullHandle}, {}, {0, 0}}, "tpm.guard.malformed"},
      {"FlushContext", {0x165, {}, {}, {0x80, 0, 0, 0}}, "sent"},
      {"FlushContext with a session", {0x165, {}, {audit()}, {0x80, 0, 0, 0}}, "tpm.guard.sessions"},
      {"a command that no device of ours sends (TPM2_Hash)", {0x17D, {}, {secrets()}}, "tpm.guard.unknown-command"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(verdict(row.sent), row.expected) << row.what;
}

TEST(CommandTable, WithoutProtectionLetsSecretsPassButNoPasswordAndNothingUnknown) {
  const CommandTable table = CommandTable::without_protection();
  EXPECT_EQ(verdict({0x15E, {1}, {audit()}}, table), "sent");
  EXPECT_EQ(verdict({0x15E, {1}, {password(1)}}, table), "tpm.guard.password");
  EXPECT_EQ(verdict({0x17D, {}, {}}, table), "tpm.guard.unknown-command");
}

TEST(CommandTable, CallsWhatIsNoCommandADefectOfOurs) {
  for (const Bytes& bytes : {Bytes{}, Bytes(9), Bytes(64, 0xff), bytes_of({0x15E, {}, {}})}) {
    const Status allowed = check_command(CommandTable::production(), bytes);
    ASSERT_FALSE(allowed);
    EXPECT_EQ(allowed.error().kind, ErrorKind::kInternal);
    EXPECT_EQ(allowed.error().code, "tpm.guard.malformed");
  }
}

TEST(CommandTable, FindsEachOfItsCommandsAndNoOther) {
  const CommandTable table = CommandTable::production();
  for (const CommandRule& rule : table.rules())
    EXPECT_EQ(table.find(rule.code), &rule) << rule.name;
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(0xffffffff), nullptr);
}

// The answer to PCR_Read in an audit session.
Bytes answer(std::uint16_t tag, std::size_t sessions, std::size_t hmac = 32) {
  wire::Writer body;
  if (tag == kWithSessions) body.u32(2);
  body.u16(7);
  for (std::size_t i = 0; i < sessions; ++i)
    body.sized16(Bytes(32)).u8(kContinueSession).sized16(Bytes(hmac));
  const auto size = static_cast<std::uint32_t>(10 + body.view().size());
  return wire::Writer().u16(tag).u32(size).u32(0).bytes(body.view()).take();
}

TEST(CommandTable, TakesOnlyAnAnswerWithTheSessionsOfItsCommand) {
  const CommandTable table = CommandTable::production();
  const Bytes audited = bytes_of({0x17E, {}, {audit()}, {0, 0, 0, 0}});
  EXPECT_TRUE(check_response(table, audited, answer(kWithSessions, 1)));
  const Bytes refusal = wire::Writer().u16(kNoSessions).u32(10).u32(0x922).take();
  EXPECT_TRUE(check_response(table, audited, refusal));

  Bytes lying = answer(kWithSessions, 1);
  lying[5] = static_cast<std::uint8_t>(lying[5] - 1);
  for (const Bytes& forged : {answer(kNoSessions, 0), answer(kWithSessions, 0), answer(kWithSessions, 2),
                              answer(kWithSessions, 1, 0), lying, Bytes{}}) {
    const Status taken = check_response(table, audited, forged);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, "tpm.bus.altered");
    EXPECT_EQ(taken.error().kind, ErrorKind::kUnavailable);
  }
}

}  // namespace
}  // namespace warifu::tpm
