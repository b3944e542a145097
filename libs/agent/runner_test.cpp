#include "agent/runner.h"

#include "agent/test_world.h"
#include "sim/deterministic.h"

namespace warifu::agent {
namespace {

using testing::Each;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using namespace std::chrono_literals;

class RunnerTest : public test::AgentTest {
 protected:
  void run(std::size_t waits) {
    waiter_.stop_after = waits;
    Runner(outside_, 1h).run();
  }
};

TEST_F(RunnerTest, ProvisionsAndThenOnlyLooksWhetherItHolds) {
  run(5);  // two polls, then three times an hour
  EXPECT_EQ(requests("challenge"), 1);
  EXPECT_EQ(calls("identity"), 3);
  const auto said = progress_.text.find("is provisioned: meter-1 at hub.example");
  ASSERT_NE(said, std::string::npos);
  EXPECT_EQ(progress_.text.find("is provisioned", said + 1), std::string::npos);
  EXPECT_THAT(std::vector(waiter_.waits.begin() + 2, waiter_.waits.end()),
              testing::AllOf(Each(Ge(54min)), Each(Le(66min))));
}

TEST_F(RunnerTest, ProvisionsAnewWhenTheTpmWasCleared) {
  waiter_.on_wait = [&] {
    if (waiter_.waits.size() == 3) tcb_.assigned_hub = tcb_.device_id = "";
  };
  run(5);
  EXPECT_EQ(requests("challenge"), 2);
  EXPECT_EQ(tcb_.assigned_hub, "hub.example");
}

TEST_F(RunnerTest, TriesAgainWhenTheServerIsAwayAndSaysSo) {
  server_.unreachable = 3;
  run(6);
  EXPECT_EQ(requests("challenge"), 1);
  EXPECT_EQ(tcb_.assigned_hub, "hub.example");
  EXPECT_THAT(progress_.text, HasSubstr("Next try in"));
}

TEST_F(RunnerTest, TriesAgainWhenTheTcbIsAway) {
  tcb_.unreachable = true;
  waiter_.on_wait = [&] { tcb_.unreachable = false; };
  run(4);
  EXPECT_EQ(tcb_.assigned_hub, "hub.example");
}

TEST_F(RunnerTest, ComesSeldomWhenAnOperatorMustActFirst) {
  server_.instead["challenge"] = test::reply(404, R"({"info":{"code":"enrollment.unknown"}})");
  run(5);
  EXPECT_THAT(waiter_.waits, Each(Ge(45min)));
  EXPECT_THAT(waiter_.waits, Each(Le(75min)));
  EXPECT_THAT(progress_.text, HasSubstr("not enrolled"));
}

TEST_F(RunnerTest, ComesSoonAgainWhenSomebodyOnThePathPlaysTheServer) {
  tcb_.server_ok = false;
  run(20);
  EXPECT_THAT(waiter_.waits, Each(Le(std::chrono::milliseconds(Backoff::kLongest))));
  EXPECT_EQ(requests("challenge"), 0);
}

TEST_F(RunnerTest, ComesNotBeforeTheServerSaid) {
  auto busy = test::reply(503);
  busy.retry_after = 600s;
  server_.instead["challenge"] = busy;
  run(3);
  EXPECT_THAT(waiter_.waits, Each(Ge(600s)));
}

TEST_F(RunnerTest, EndsInTheMiddleOfARegistration) {
  run(1);
  EXPECT_EQ(calls("accept"), 0);
}

// --- Back-off ---

const Error kAway{ErrorKind::kUnavailable, "server.unreachable", "away"};
const Error kRefusal{ErrorKind::kRefused, "enrollment.unknown", "no"};

TEST(BackoffTest, StaysWithinItsBoundsAndIsRandom) {
  std::size_t equal_to_first = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    sim::SeededEntropy entropy(seed);
    Backoff backoff(entropy);
    auto bound = Backoff::kFirst;
    for (int i = 0; i < 40; ++i) {
      const auto wait = backoff.next(kAway, std::nullopt);
      EXPECT_GE(wait, Backoff::kShortest);
      EXPECT_LE(wait, bound);
      bound = std::min(bound * 2, Backoff::kLongest);
      equal_to_first += wait == Backoff::kFirst;
    }
  }
  EXPECT_LT(equal_to_first, 20U);
}

TEST(BackoffTest, SpreadsDevicesThatFailTogether) {
  std::chrono::milliseconds shortest = 1h, longest = 0ms;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    sim::SeededEntropy entropy(seed);
    Backoff backoff(entropy);
    for (int i = 0; i < 10; ++i)
      static_cast<void>(backoff.next(kAway, std::nullopt));
    const auto wait = backoff.next(kAway, std::nullopt);
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }
  EXPECT_LT(shortest, 30s);
  EXPECT_GT(longest, 270s);
}

TEST(BackoffTest, BeginsAnewAfterSuccess) {
  sim::SeededEntropy entropy(1);
  Backoff backoff(entropy);
  for (int i = 0; i < 20; ++i)
    static_cast<void>(backoff.next(kAway, std::nullopt));
  backoff.reset();
  EXPECT_LE(backoff.next(kAway, std::nullopt), Backoff::kFirst);
}

TEST(BackoffTest, RespectsTheServersTimeUpToABound) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    sim::SeededEntropy entropy(seed);
    Backoff backoff(entropy);
    EXPECT_GE(backoff.next(kAway, 100s), 100s);
    EXPECT_LE(backoff.next(kAway, 24h), std::chrono::milliseconds(Backoff::kRetryAfterMax) + Backoff::kLongest);
    EXPECT_GE(backoff.next(kAway, -5s), Backoff::kShortest);
  }
}

TEST(BackoffTest, IsLongForWhatDoesNotPassByItself) {
  sim::SeededEntropy entropy(1);
  Backoff backoff(entropy);
  for (int i = 0; i < 50; ++i) {
    const auto wait = backoff.next(kRefusal, std::nullopt);
    EXPECT_GE(wait, 45min);
    EXPECT_LE(wait, 75min);
  }
}

TEST(BackoffTest, IsShortForWhatANetworkOrAClockCanBringAbout) {
  for (const char* code : {"server.identity", "server.reply", "crypto.path.expired", "crypto.path.not-yet-valid",
                           "crypto.path.issuer", "crypto.signature", "tcb.handshake.nonce", "token.expired"}) {
    sim::SeededEntropy entropy(1);
    Backoff backoff(entropy);
    for (int i = 0; i < 50; ++i)
      EXPECT_LE(backoff.next({ErrorKind::kRefused, code, "x"}, std::nullopt), Backoff::kLongest) << code;
  }
}

TEST(BackoffTest, KeepsAFleetApartThatLooksAtTheSameTime) {
  std::chrono::milliseconds shortest = 2h, longest = 0ms;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    sim::SeededEntropy entropy(seed);
    const auto period = Backoff(entropy).around(1h);
    shortest = std::min(shortest, period);
    longest = std::max(longest, period);
  }
  EXPECT_GE(shortest, 54min);
  EXPECT_LT(shortest, 55min);
  EXPECT_LE(longest, 66min);
  EXPECT_GT(longest, 65min);
}

}  // namespace
}  // namespace warifu::agent
