#include "front/housekeeping/reminder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/deterministic.h"

namespace warifu::front::housekeeping {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Reminder, SaysEachThingOnceADayForAsLongAsItIsFound) {
  sim::SteppingClock clock{Timestamp(std::chrono::seconds(1'790'000'000))};
  Reminder reminder(clock);
  EXPECT_THAT(reminder.due({}), IsEmpty());
  EXPECT_THAT(reminder.due({"it ends"}), ElementsAre("it ends"));
  clock.advance(hours(23));
  EXPECT_THAT(reminder.due({"it ends"}), IsEmpty());
  EXPECT_THAT(reminder.due({"it ends", "another"}), ElementsAre("another"));
  clock.advance(hours(1));
  EXPECT_THAT(reminder.due({"it ends", "another"}), ElementsAre("it ends"));
  EXPECT_THAT(reminder.due({"another"}), IsEmpty());
  EXPECT_THAT(reminder.due({"it ends"}), ElementsAre("it ends")) << "it was gone meanwhile";
}

TEST(Reminder, SaysAllAgainWhenTheClockWasSetBack) {
  sim::SteppingClock clock{Timestamp(std::chrono::seconds(1'790'000'000))};
  Reminder reminder(clock);
  EXPECT_THAT(reminder.due({"it ends"}), ElementsAre("it ends"));
  clock.advance(-hours(9000));
  EXPECT_THAT(reminder.due({"it ends"}), ElementsAre("it ends"));
  EXPECT_THAT(reminder.due({"it ends"}), IsEmpty());
}

}  // namespace
}  // namespace warifu::front::housekeeping
