#include "tpm_device/guard_tcti.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tpm_device/device.h"
#include "wire/writer.h"

namespace warifu::tpm_device {
namespace {

// A TPM that answers what it is told to.
class FakeTpm {
 public:
  FakeTpm() {
    context_.functions.version = 1;
    context_.functions.transmit = transmit;
    context_.functions.receive = receive;
    context_.self = this;
  }
  // The loader, which closes it, leaves alone what it has not opened.
  TctiPtr connect() { return TctiPtr(reinterpret_cast<TSS2_TCTI_CONTEXT*>(&context_)); }

  std::vector<Bytes> sent;
  Bytes answer;
  TSS2_RC receive_rc = TSS2_RC_SUCCESS;

 private:
  struct Context {
    TSS2_TCTI_CONTEXT_COMMON_V1 functions;
    FakeTpm* self;
  };
  static FakeTpm& of(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Context*>(context)->self; }
  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command) {
    of(context).sent.emplace_back(command, command + size);
    return TSS2_RC_SUCCESS;
  }
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t) {
    const FakeTpm& self = of(context);
    if (self.receive_rc != TSS2_RC_SUCCESS) return self.receive_rc;
    *size = self.answer.size();
    std::ranges::copy(self.answer, response);
    return TSS2_RC_SUCCESS;
  }

  Context context_{};
};

Bytes message(std::uint16_t tag, std::uint32_t code, ByteView body) {
  return wire::Writer().u16(tag).u32(static_cast<std::uint32_t>(10 + body.size())).u32(code).bytes(body).take();
}

Bytes session(std::uint32_t handle, std::uint8_t attributes, std::size_t hmac) {
  return wire::Writer().u32(handle).sized16(Bytes(16)).u8(attributes).sized16(Bytes(hmac, 1)).take();
}

// TPM2_GetRandom(8) in a session with these attributes.
Bytes get_random(std::uint8_t attributes) {
  const Bytes area = session(0x02000000, attributes, 32);
  const auto size = static_cast<std::uint32_t>(area.size());
  return message(tpm::kWithSessions, 0x17B, wire::Writer().u32(size).bytes(area).u16(8).view());
}
const Bytes kEncrypted = get_random(tpm::kContinueSession | tpm::kEncryptSession);
const Bytes kClear = get_random(tpm::kContinueSession | tpm::kAuditSession);

Bytes random_answer() {
  wire::Writer body;
  body.u32(10).sized16(Bytes(8, 7)).sized16(Bytes(16)).u8(tpm::kContinueSession).sized16(Bytes(32, 2));
  return message(tpm::kWithSessions, 0, body.view());
}
Bytes answer_without_sessions() {
  return message(tpm::kNoSessions, 0, wire::Writer().sized16(Bytes(8, 7)).view());
}

Bytes flush_of(std::uint32_t handle) {
  return message(tpm::kNoSessions, 0x165, wire::Writer().u32(handle).view());
}
Bytes load_under_session() {
  const Bytes area = session(0x02000000, tpm::kContinueSession, 32);
  wire::Writer body;
  body.u32(0x81000001).u32(static_cast<std::uint32_t>(area.size())).bytes(area).sized16({}).sized16({});
  return message(tpm::kWithSessions, 0x157, body.view());
}
Bytes loaded(std::uint32_t handle) {
  wire::Writer body;
  body.u32(handle).u32(2).u16(0).sized16(Bytes(16)).u8(tpm::kContinueSession).sized16(Bytes(32, 2));
  return message(tpm::kWithSessions, 0, body.view());
}

class GuardTctiTest : public testing::Test {
 protected:
  TSS2_RC send(ByteView command) { return functions().transmit(guard_.context(), command.size(), command.data()); }
  TSS2_RC receive(Bytes& out) {
    std::size_t size = out.size();
    const TSS2_RC rc = functions().receive(guard_.context(), &size, out.data(), TSS2_TCTI_TIMEOUT_BLOCK);
    out.resize(std::min(size, out.size()));
    return rc;
  }
  const TSS2_TCTI_CONTEXT_COMMON_V1& functions() {
    return *reinterpret_cast<const TSS2_TCTI_CONTEXT_COMMON_V1*>(guard_.context());
  }

  FakeTpm tpm_;
  GuardTcti guard_{tpm_.connect(), tpm::CommandTable::production()};
};

TEST_F(GuardTctiTest, SendsTheBytesThatItWasGiven) {
  EXPECT_EQ(send(kEncrypted), TSS2_RC_SUCCESS);
  EXPECT_THAT(tpm_.sent, testing::ElementsAre(kEncrypted));
  EXPECT_FALSE(guard_.take_refusal());
}

TEST_F(GuardTctiTest, SendsNotAByteOfWhatItRefusesAndSaysWhyOnce) {
  EXPECT_NE(send(kClear), TSS2_RC_SUCCESS);
  EXPECT_TRUE(tpm_.sent.empty());
  const auto refusal = guard_.take_refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, "tpm.guard.response-clear");
  EXPECT_FALSE(guard_.take_refusal());
}

TEST_F(GuardTctiTest, HandsOverAnAnswerToWhoAsksForItsSizeFirst) {
  ASSERT_EQ(send(kEncrypted), TSS2_RC_SUCCESS);
  tpm_.answer = random_answer();
  std::size_t size = 0;
  ASSERT_EQ(functions().receive(guard_.context(), &size, nullptr, -1), TSS2_RC_SUCCESS);
  EXPECT_EQ(size, tpm_.answer.size());
  Bytes small(size - 1);
  EXPECT_EQ(receive(small), TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
  Bytes out(size);
  EXPECT_EQ(receive(out), TSS2_RC_SUCCESS);
  EXPECT_EQ(out, tpm_.answer);
}

TEST_F(GuardTctiTest, PassesOnThatNothingHasComeYet) {
  ASSERT_EQ(send(kEncrypted), TSS2_RC_SUCCESS);
  tpm_.receive_rc = TSS2_TCTI_RC_TRY_AGAIN;
  Bytes out(4096);
  EXPECT_EQ(receive(out), TSS2_TCTI_RC_TRY_AGAIN);
  EXPECT_FALSE(guard_.take_refusal());
  tpm_.receive_rc = TSS2_RC_SUCCESS;
  tpm_.answer = random_answer();
  out.resize(4096);
  EXPECT_EQ(receive(out), TSS2_RC_SUCCESS);
}

TEST_F(GuardTctiTest, RefusesASuccessWithoutTheSessionsOfItsCommand) {
  ASSERT_EQ(send(kEncrypted), TSS2_RC_SUCCESS);
  tpm_.answer = answer_without_sessions();
  Bytes out(4096);
  EXPECT_NE(receive(out), TSS2_RC_SUCCESS);
  const auto refusal = guard_.take_refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, "tpm.bus.altered");
  EXPECT_EQ(refusal->kind, ErrorKind::kUnavailable);
}

TEST_F(GuardTctiTest, FlushesWhatIsLeftInTheSlotsAndNothingElse) {
  Bytes out(4096);
  for (const std::uint32_t handle : {0x80000000u, 0x80000001u}) {
    tpm_.answer = loaded(handle);
    ASSERT_EQ(send(load_under_session()), TSS2_RC_SUCCESS);
    out.resize(4096);
    ASSERT_EQ(receive(out), TSS2_RC_SUCCESS);
  }
  tpm_.answer = message(tpm::kNoSessions, 0, {});
  ASSERT_EQ(send(flush_of(0x80000000)), TSS2_RC_SUCCESS);
  out.resize(4096);
  ASSERT_EQ(receive(out), TSS2_RC_SUCCESS);
  tpm_.sent.clear();
  guard_.flush_all();
  guard_.flush_all();
  EXPECT_THAT(tpm_.sent, testing::ElementsAre(flush_of(0x80000001)));
}

// No HMAC covers an error. ESYS itself sends a command once more when the TPM asks for it, and waits once more for an
// answer that has not come: a forger shall neither keep it at that nor make it send anything else.
TEST(ForgedError, IsTheEndOfACommandAfterAFewTries) {
  for (const std::uint32_t code : {0x922u, 0x908u, 0x90Au, 0x9u, 0x70009u, 0x80009u, 0xA0009u, 0xFFFFFFFFu}) {
    FakeTpm tpm;
    tpm.answer = message(tpm::kNoSessions, code, {});
    const auto device = Device::open(tpm.connect(), {});
    ASSERT_TRUE(device);
    const auto ek = (*device)->load_ek();
    ASSERT_FALSE(ek);
    EXPECT_EQ(ek.error().kind == ErrorKind::kUnavailable || ek.error().kind == ErrorKind::kInternal, true)
        << std::hex << code << ": " << to_string(ek.error());
    EXPECT_LE(tpm.sent.size(), 6u) << std::hex << code;
    EXPECT_THAT(tpm.sent, testing::Each(tpm.sent.front())) << std::hex << code;
  }
}

}  // namespace
}  // namespace warifu::tpm_device
