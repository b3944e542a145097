// What the dispatcher does with who asks too much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "front/limits/test_timers.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front {
namespace {

using namespace std::chrono_literals;
using operators::Permissions;
using ::testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

class DispatcherLimitsTest : public ::testing::Test {
 protected:
  // As a server does that stops.
  void TearDown() override { timers_.drop_all(); }

  using Answered = std::shared_ptr<std::optional<net::HttpResponse>>;

  static RequestLimits limits(std::uint32_t address_burst) {
    RequestLimits limits;
    limits.address = {10, address_burst};
    limits.registration = {2, 10};
    limits.challenge_cost = 4;
    limits.wait_max = 2s;
    return limits;
  }
  Dispatcher dispatcher(const Dispatcher& like, Admission& admission) {
    return {like.router(),  world_.server.authenticator, *world_.store, world_.server.metrics, world_.clock,
            world_.entropy, {.admission = &admission}};
  }
  // These answers are given on this thread, or not yet.
  static Answered ask(Dispatcher& dispatcher, net::HttpRequest request) {
    const auto answered = std::make_shared<std::optional<net::HttpResponse>>();
    dispatcher.handle(std::move(request), [answered](net::HttpResponse answer) { *answered = std::move(answer); });
    return answered;
  }
  Answered ask_operators(const std::string& target, const std::string& token) {
    return ask(operators_, World::TestDevice::request(net::Method::kGet, target, token, ""));
  }
  void advance(std::chrono::milliseconds step) {
    monotonic_.advance(step);
    timers_.advance(step);
  }
  std::string metrics() const { return world_.server.metrics.text(); }

  World world_;
  sim::SteppingMonotonicClock monotonic_;
  test::ManualTimers timers_;
  Admission device_admission_{limits(1'000), monotonic_, world_.entropy, timers_, world_.server.metrics};
  Admission operator_admission_{limits(3), monotonic_, world_.entropy, timers_, world_.server.metrics};
  Dispatcher devices_ = dispatcher(world_.server.devices, device_admission_);
  Dispatcher operators_ = dispatcher(world_.server.operators, operator_admission_);
};

TEST_F(DispatcherLimitsTest, DelaysAChallengeThenRefusesAndSpendsNothingOnIt) {
  const auto request = world_.meter.register_request();
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ((*ask(devices_, request))->status, 401);
  const auto delayed = ask(devices_, request);
  const auto refused = ask(devices_, request);
  EXPECT_FALSE(*delayed);
  ASSERT_TRUE(*refused);
  EXPECT_EQ((*refused)->status, 429);
  EXPECT_EQ(member(**refused, "errorCode"), "429001");
  EXPECT_EQ(member(**refused, "info.code"), "limit.registration");
  // 12 tokens came before it, of 10 that were there: it needs 6 more.
  EXPECT_EQ(net::find_header((*refused)->headers, "Retry-After"), "3");
  EXPECT_EQ(std::ranges::count((*refused)->headers, "Retry-After", &std::pair<std::string, std::string>::first), 1);
  EXPECT_THAT(metrics(), HasSubstr("warifu_challenges_total 2\n"));
  EXPECT_THAT(metrics(), HasSubstr("warifu_requests_waiting 1\n"));
  advance(1s);
  ASSERT_TRUE(*delayed);
  EXPECT_EQ((*delayed)->status, 401);
  EXPECT_NE(member(**delayed, "authenticationKey"), "absent");
  EXPECT_THAT(metrics(), HasSubstr("warifu_challenges_total 3\n"));
}

TEST_F(DispatcherLimitsTest, CountsAnotherDeviceOfTheSameAddressForItself) {
  while (*ask(devices_, world_.meter.register_request())) {
    if (timers_.size() > 0) break;
  }
  EXPECT_EQ((*ask(devices_, world_.device(world_.tpm_b, "meter-2").register_request()))->status, 404);
}

// Paths that are none and methods that are none are limited by the address.
TEST_F(DispatcherLimitsTest, LimitsWhatFindsNoRoute) {
  for (const char* target : {"/nowhere", "*", "/healthz"})
    EXPECT_TRUE(*ask_operators(target, "")) << target;
  for (const char* target : {"/nowhere", "*", "/healthz"})
    EXPECT_FALSE(*ask_operators(target, "")) << target;
}

TEST_F(DispatcherLimitsTest, LimitsOperatorsWithoutCredentialsOnly) {
  const std::string good = "Bearer " + world_.server.access_token(Permissions::all()).value();
  const std::string bad = "Bearer warifu_access_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ((*ask_operators("/api/v1/devices", bad))->status, 401);
  const auto delayed = ask_operators("/api/v1/devices", bad);
  EXPECT_FALSE(*delayed);
  Answered last;
  for (int i = 0; i < 100 && !(last && *last); ++i)
    last = ask_operators("/api/v1/devices", bad);
  ASSERT_TRUE(*last);
  EXPECT_EQ((*last)->status, 429);
  EXPECT_EQ(member(**last, "code"), "limit.address");
  // From the same address, and without a delay.
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ((*ask_operators("/api/v1/devices", good))->status, 200);
  advance(100ms);
  ASSERT_TRUE(*delayed);
  EXPECT_EQ((*delayed)->status, 401);
}

TEST_F(DispatcherLimitsTest, WritesOneLineASecondAboutAFlood) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("capture", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  for (int second = 0; second < 3; ++second) {
    for (int i = 0; i < 1'000; ++i)
      ask_operators("/nowhere", "");
    world_.clock.advance(1s);
  }
  spdlog::set_default_logger(before);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = log.str().find("code=limit.address", at)) != std::string::npos; ++at)
    ++lines;
  EXPECT_EQ(lines, 3u);
  EXPECT_THAT(metrics(), HasSubstr("warifu_refusals_total{code=\"limit.address\"} 29"));
}

}  // namespace
}  // namespace warifu::front
