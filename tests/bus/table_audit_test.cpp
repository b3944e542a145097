#include "table_audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "test_frames.h"

namespace warifu::bus {
namespace {

constexpr std::uint32_t kSalted = 0x02000005;
constexpr std::uint32_t kUnsalted = 0x02000006;
constexpr std::uint32_t kNullHandle = 0x40000007;

constexpr std::uint32_t kHierarchyChangeAuth = 0x129;
constexpr std::uint32_t kCreatePrimary = 0x131;
constexpr std::uint32_t kReadClock = 0x181;
constexpr std::uint32_t kOwner = 0x40000001;
constexpr std::uint32_t kEndorsement = 0x4000000B;

Message started(std::uint32_t handle) {
  wire::Writer rest;
  rest.u32(handle).sized16(Bytes(32));
  return success(rest);
}

// What the audit says about one command behind the start of a salted and an unsalted session.
std::vector<std::string> judge(const Bytes& bytes) {
  TableAudit audit(tpm::CommandTable::production());
  audit.add({command(start_session(0x81010001)), started(kSalted)});
  EXPECT_THAT(audit.complaints(), testing::IsEmpty());
  audit.add({command(start_session(kNullHandle)), started(kUnsalted)});
  EXPECT_THAT(audit.complaints(), testing::ElementsAre("command 2, TPM2_StartAuthSession: no salt"));
  const std::size_t before = audit.complaints().size();
  audit.add({command(bytes), success()});
  return {audit.complaints().begin() + static_cast<std::ptrdiff_t>(before), audit.complaints().end()};
}

// TPM2_CreatePrimary in this hierarchy with an empty password.
Bytes primary_of(std::uint32_t hierarchy, ByteView parameters) {
  Bytes out = with_sessions(kCreatePrimary, {session(kPasswordSession, 0, {})}, parameters);
  const Bytes handle = wire::Writer().u32(hierarchy).take();
  std::ranges::copy(handle, out.begin() + static_cast<std::ptrdiff_t>(kHeaderSize));
  return out;
}

TEST(TableAudit, AcceptsWhatTheTableAsksForAndNothingLess) {
  const Bytes mac(32, 5);
  const Bytes secret = {0, 6, 0, 2, 7, 7, 0, 0};  // TPM2B_SENSITIVE_CREATE with a password
  const Bytes empty = {0, 4, 0, 0, 0, 0};
  struct Case {
    const char* what;
    Bytes bytes;
    bool good;
  };
  const Case cases[] = {
      {"encrypted answer", unseal({session(kSalted, kParameterOut, mac)}), true},
      {"answer in clear", unseal({session(kSalted, kParameterIn, mac)}), false},
      {"without a salt", unseal({session(kUnsalted, kParameterOut, mac)}), false},
      {"without an HMAC", unseal({session(kSalted, kParameterOut, {})}), false},
      {"unknown session", unseal({session(0x02000009, kParameterOut, mac)}), false},
      {"empty password", unseal({session(kPasswordSession, kParameterOut, {})}), false},
      {"password beside a session",
       unseal({session(kPasswordSession, 0, as_bytes("secret")), session(kSalted, kParameterOut, mac)}), false},
      {"encrypted parameter", with_sessions(kHierarchyChangeAuth, {session(kSalted, kParameterIn, mac)}), true},
      {"parameter in clear", with_sessions(kHierarchyChangeAuth, {session(kSalted, kParameterOut, mac)}), false},
      {"an EK, no session", primary_of(kEndorsement, empty), true},
      {"an EK with a secret, no session", primary_of(kEndorsement, secret), false},
      {"the NULL primary, no session", primary_of(kNullHandle, empty), true},
      {"a NULL primary with a secret, no session", primary_of(kNullHandle, secret), false},
      {"another primary, no session", primary_of(kOwner, empty), false},
      {"unauthenticated answer", frame(0x8001, kReadClock, {}), false},
      {"no command of a device", with_sessions(0x159, {session(kSalted, kParameterOut, mac)}), false},
      {"no command at all", frame(0x8001, 0x1FFF, {}), false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(judge(c.bytes).empty(), c.good) << c.what;
}

TEST(TableAudit, ForgetsTheSaltWhenAHandleIsUsedAgain) {
  TableAudit audit(tpm::CommandTable::production());
  audit.add({command(start_session(0x81010001)), started(kSalted), command(start_session(kNullHandle)),
             started(kSalted), command(unseal({session(kSalted, kParameterOut, Bytes(32))})), success()});
  EXPECT_THAT(audit.complaints(), testing::Contains(testing::HasSubstr("TPM2_Unseal")));
}

TEST(TableAudit, AgreesWithTheTableAboutNamesAndHandles) {
  for (const tpm::CommandRule& rule : tpm::CommandTable::production().rules()) {
    EXPECT_EQ(command_name(rule.code), rule.name);
    wire::Writer handles;
    for (std::size_t i = 0; i < rule.handles; ++i)
      handles.u32(0x80000000);
    const auto view = view_command(frame(0x8001, rule.code, handles));
    ASSERT_TRUE(view) << rule.name;
    EXPECT_EQ(view->handles.size(), rule.handles) << rule.name;
    EXPECT_TRUE(view->parameters.empty()) << rule.name;
  }
}

}  // namespace
}  // namespace warifu::bus
