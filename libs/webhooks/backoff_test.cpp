#include "webhooks/backoff.h"

#include <gtest/gtest.h>

#include "sim/deterministic.h"

namespace warifu::webhooks {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

const Timestamp kNow{seconds(1'790'000'000)};

Delivery delivery() {
  sim::SeededEntropy entropy(1);
  return {.event_id = Uuid::v7(kNow, entropy), .body = "{}", .created_at = kNow, .due_at = kNow};
}

TEST(Backoff, DoublesFromASecondToAnHour) {
  EXPECT_EQ(backoff(1, 0), seconds(1));
  EXPECT_EQ(backoff(2, 0), seconds(2));
  EXPECT_EQ(backoff(3, 0), seconds(4));
  EXPECT_EQ(backoff(12, 0), seconds(2048));
  EXPECT_EQ(backoff(13, 0), seconds(3600));
  EXPECT_EQ(backoff(1'000'000, 0), seconds(3600));
}

TEST(Backoff, TakesOffUpToAHalf) {
  EXPECT_GT(backoff(1, 0xFFFFFFFF), microseconds(499'000));
  EXPECT_LT(backoff(1, 0xFFFFFFFF), microseconds(501'000));
  EXPECT_EQ(backoff(3, 0x80000000), seconds(3));
}

TEST(Backoff, AReceiverThatIsAwayGetsEventsInOrder) {
  Progress progress;
  Delivery first = delivery();
  for (int i = 0; i < 20; ++i) {
    move_on(progress, first, {.failure = "away"}, kNow, 0x12345678);
    EXPECT_EQ(first.due_at, kNow) << "when it may be tried again, the first comes first";
  }
  EXPECT_EQ(progress.failures, 20);
  EXPECT_EQ(progress.failing_since, kNow);
  EXPECT_EQ(progress.last_failure, "away");
}

TEST(Backoff, AnEventThatIsRefusedLetsOthersPass) {
  Progress progress;
  Delivery refused = delivery();
  Delivery other = delivery();
  for (int i = 0; i < 5; ++i) {
    move_on(progress, refused, judge(400, {}), kNow, 0x12345678);
    EXPECT_LT(progress.resume_at, refused.due_at) << "others come first";
    EXPECT_LE(progress.resume_at, kNow + seconds(1)) << "and soon";
    move_on(progress, other, judge(200, {}), kNow, 0x12345678);
  }
  EXPECT_GT(refused.due_at, kNow + seconds(8));
  EXPECT_EQ(progress.delivered, 5);
  EXPECT_EQ(progress.failures, 0);
  EXPECT_FALSE(progress.failing_since);
}

TEST(Backoff, RefusalsPauseOthersByASecondOnlyHoweverManyTheyAre) {
  Progress progress;
  progress.failures = 9;  // it was away before
  for (int i = 0; i < 50; ++i) {
    Delivery refused = delivery();
    refused.attempts = i;
    move_on(progress, refused, judge(404, seconds(1800)), kNow, 0x12345678);
    EXPECT_EQ(progress.resume_at, kNow + seconds(1)) << "whatever it asks for is for that event";
    EXPECT_GE(refused.due_at, kNow + seconds(1800));
    EXPECT_EQ(progress.failures, 0) << "it is there";
  }
  EXPECT_EQ(progress.failing_since, kNow) << "one that refuses all fails";
}

TEST(Backoff, TellsARefusalFromAReceiverThatCannotNow) {
  for (const int status : {200, 202, 204, 299})
    EXPECT_TRUE(judge(status, {}).is_delivered) << status;
  for (const int status : {100, 301, 302, 400, 401, 404, 410, 500}) {
    EXPECT_FALSE(judge(status, {}).is_delivered) << status;
    EXPECT_TRUE(judge(status, {}).is_refused) << status;
  }
  for (const int status : {408, 425, 429, 502, 503, 504}) {
    EXPECT_FALSE(judge(status, {}).is_delivered) << status;
    EXPECT_FALSE(judge(status, {}).is_refused) << status;
  }
}

TEST(Backoff, WaitsAsTheReceiverAsksButNotForever) {
  Progress progress;
  Delivery first = delivery();
  move_on(progress, first, {.failure = "429", .retry_after = seconds(90)}, kNow, 0);
  EXPECT_EQ(progress.resume_at, kNow + seconds(90));
  move_on(progress, first, {.failure = "429", .retry_after = seconds(1'000'000)}, kNow, 0);
  EXPECT_EQ(progress.resume_at, kNow + seconds(3600));
}

}  // namespace
}  // namespace warifu::webhooks
