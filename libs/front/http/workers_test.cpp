#include "front/http/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace warifu::front {
namespace {

TEST(WorkersTest, DoWhatTheyAreGivenAndFinishItBeforeTheyStop) {
  std::atomic<int> done = 0;
  Workers workers(2);
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(workers.post([&] { ++done; }));
  workers.stop();
  EXPECT_EQ(done, 100);
  EXPECT_FALSE(workers.post([&] { ++done; }));
  EXPECT_EQ(done, 100);
}

TEST(WorkersTest, TakeNoMoreThanTheirQueueHolds) {
  std::promise<void> gate;
  const auto opened = gate.get_future().share();
  std::promise<void> begun;
  Workers workers(1);
  ASSERT_TRUE(workers.post([&] {
    begun.set_value();
    opened.wait();
  }));
  begun.get_future().wait();
  for (std::size_t i = 0; i < Workers::kQueueMax; ++i)
    ASSERT_TRUE(workers.post([] {})) << i;
  EXPECT_FALSE(workers.post([] {}));
  gate.set_value();
}

}  // namespace
}  // namespace warifu::front
