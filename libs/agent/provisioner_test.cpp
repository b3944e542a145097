#include "agent/provisioner.h"

#include <array>
#include <new>

#include "agent/test_world.h"

namespace warifu::agent {
namespace {

using namespace std::chrono_literals;
namespace protocol = tcb_protocol;

// Answers after a while, by the device's clock.
class SlowServer final : public Transport {
 public:
  SlowServer(Transport& server, test::TestClock& clock) : server_(server), clock_(clock) {}
  Result<HttpReply> send(const HttpRequest& request) override {
    clock_.advance(each_takes);
    return server_.send(request);
  }
  Result<HttpReply> fetch_from_anybody(const HttpRequest& request) override {
    return server_.fetch_from_anybody(request);
  }
  Status trust_also(const std::vector<Bytes>& roots) override { return server_.trust_also(roots); }
  void close() override { server_.close(); }

  std::chrono::seconds each_takes{0};

 private:
  Transport& server_;
  test::TestClock& clock_;
};

class ProvisionerTest : public test::AgentTest {
 protected:
  SlowServer slow_{server_, clock_};
  Outside slow_outside_{slow_, check_, tcb_, files_, clock_, entropy_, waiter_, progress_};
};

TEST_F(ProvisionerTest, EndsPollingWhileTheProofOfTheServerHoldsHoweverSlowItAnswers) {
  server_.assigning = 1'000'000;
  slow_.each_takes = 59s;
  EXPECT_EQ(Contact(slow_outside_).make(Registering::kAlways).error().code, "server.throttled");
  // A minute for the last answer is in it.
  EXPECT_LE(clock_.now() - test::kStart, Provisioner::kPollingMax + 1min);
  EXPECT_GT(requests("poll"), 2);
}

TEST_F(ProvisionerTest, CountsTheTimeBeforeTheFirstPollToo) {
  slow_.each_takes = 170s;  // the escrow certificate, the challenge, the proof
  EXPECT_EQ(Contact(slow_outside_).make(Registering::kAlways).error().code, "server.throttled");
  EXPECT_EQ(requests("proof"), 1);
  EXPECT_EQ(requests("poll"), 0);
}

TEST_F(ProvisionerTest, EndsPollingWhenTheClockIsSetBack) {
  server_.assigning = 1'000'000;
  waiter_.on_wait = [&] { clock_.advance(-24h); };
  EXPECT_EQ(contact().error().code, "server.throttled");
  EXPECT_EQ(requests("poll"), 1);
}

TEST_F(ProvisionerTest, WaitsForAServerThatIsSlowButInTime) {
  slow_.each_takes = 30s;
  EXPECT_TRUE(Contact(slow_outside_).make(Registering::kAlways));
}

TEST_F(ProvisionerTest, GoesOnWithoutAnEkCertificateOnlyWhereTheTpmHasNone) {
  for (const auto& [kind, code] : std::initializer_list<std::pair<ErrorKind, std::string_view>>{
           {ErrorKind::kInvalidInput, "tcb_protocol.operation"},
           {ErrorKind::kNotFound, "tpm.nv.unwritten"},
           {ErrorKind::kRefused, "tpm.policy"}}) {
    server_.requests.clear();
    tcb_.ek_certificate_error = Error{kind, code, "M"};
    EXPECT_TRUE(contact()) << code;
    EXPECT_EQ(server_.requests.at(1).body.find("endorsementCertificate"), std::string::npos) << code;
  }
  for (const auto& [kind, code] :
       std::initializer_list<std::pair<ErrorKind, std::string_view>>{{ErrorKind::kUnavailable, "tpm.bus.altered"},
                                                                     {ErrorKind::kUnavailable, "tpm.busy"},
                                                                     {ErrorKind::kUnavailable, "tcb.unreachable"},
                                                                     {ErrorKind::kRefused, "tcb.server.unverified"},
                                                                     {ErrorKind::kInternal, "tpm.esys"}}) {
    server_.requests.clear();
    tcb_.ek_certificate_error = Error{kind, code, "M"};
    const auto registered = contact();
    ASSERT_FALSE(registered) << code;
    EXPECT_EQ(registered.error().code, code);
    EXPECT_EQ(requests("challenge"), 0) << "it is not said that there is none";
  }
}

TEST_F(ProvisionerTest, LeavesNoTokenInMemoryAlsoWhenItFails) {
  server_.instead["poll"] = test::reply(500);
  ASSERT_TRUE(check_.begin());
  alignas(Provisioner) std::array<unsigned char, sizeof(Provisioner)> memory{};
  auto* provisioner = new (memory.data()) Provisioner(outside_, clock_.now());
  tcb_.checked = true;
  const auto identity = protocol::call(tcb_, protocol::Identity{});
  ASSERT_TRUE(identity);
  EXPECT_EQ(provisioner->provision(*identity).error().code, "server.trouble");
  const auto holds_token = [&] {
    return std::string_view(reinterpret_cast<const char*>(memory.data()), memory.size()).find("proof") !=
           std::string_view::npos;
  };
  EXPECT_TRUE(holds_token()) << "a short text is in the object itself";
  provisioner->~Provisioner();
  EXPECT_FALSE(holds_token());
}

}  // namespace
}  // namespace warifu::agent
