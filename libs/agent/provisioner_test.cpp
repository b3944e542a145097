#include "agent/provisioner.h"

#include "agent/test_world.h"

namespace warifu::agent {
namespace {

using namespace std::chrono_literals;

// Answers after a while, by the device's clock.
class SlowServer final : public Transport {
 public:
  SlowServer(Transport& server, test::TestClock& clock) : server_(server), clock_(clock) {}
  Result<HttpReply> send(const HttpRequest& request) override {
    clock_.advance(each_takes);
    return server_.send(request);
  }
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

}  // namespace
}  // namespace warifu::agent
