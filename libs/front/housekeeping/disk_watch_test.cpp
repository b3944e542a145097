#include "front/housekeeping/disk_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::housekeeping {
namespace {

using ::testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

// The store of a server whose disk has as much room as the test says, and may take nothing any more.
class StoreOnADisk final : public store::Store {
 public:
  explicit StoreOnADisk(store::Store& store) : store_(store) {}
  Status read(const std::function<Status(store::Snapshot&)>& use) override { return store_.read(use); }
  void submit(store::Change change) override {
    if (is_full) return change.done(Error{ErrorKind::kUnavailable, "store.full", "no room"});
    store_.submit(std::move(change));
  }
  Result<std::optional<Timestamp>> latest_audit_at() override { return store_.latest_audit_at(); }
  Result<std::optional<store::DiskSpace>> disk_space() const override { return space; }

  std::optional<store::DiskSpace> space;
  bool is_full = false;

 private:
  store::Store& store_;
};

class DiskWatchTest : public ::testing::Test {
 protected:
  DiskWatchTest() {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(world_.server.webhooks.add(t.webhooks(), t.audit(), {test::scope_id(), "operator:test"},
                                            {Label::parse("pager").value(), "https://events.example.com/"}));
      return {};
    }));
  }
  // How many events wait after a look at a disk with so much room.
  std::size_t told_at(std::uint64_t mebibytes) {
    disk_.space = store::DiskSpace{mebibytes * kMebibyte, 100'000 * kMebibyte};
    const auto looked = watch_.look();
    EXPECT_EQ(looked.has_value(), !disk_.is_full);
    return waiting();
  }
  std::size_t waiting() {
    std::size_t count = 0;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto backlog, s.webhooks().backlog(test::scope_id(), Label::parse("pager").value()));
      count = backlog.waiting;
      return {};
    }));
    return count;
  }

  World world_;
  StoreOnADisk disk_{*world_.store};
  Metrics metrics_;
  DiskWatch watch_{world_.clock, world_.entropy, disk_, metrics_};
};

TEST_F(DiskWatchTest, TellsOnceWhenRoomGetsScarceAndOnceWhenThereIsEnoughAgain) {
  EXPECT_EQ(told_at(1'024), 0U);
  EXPECT_THAT(metrics_.text(), HasSubstr("warifu_disk_low 0"));
  EXPECT_EQ(told_at(1'023), 1U);
  EXPECT_EQ(told_at(900), 1U) << "it is known";
  EXPECT_EQ(told_at(1'100), 1U) << "about the limit";
  EXPECT_THAT(metrics_.text(), HasSubstr("warifu_disk_low 1"));
  EXPECT_THAT(metrics_.text(), HasSubstr("warifu_disk_available_bytes 1153433600"));
  EXPECT_EQ(told_at(1'280), 2U);
  EXPECT_EQ(told_at(1'279), 2U);
  EXPECT_THAT(metrics_.text(), HasSubstr("warifu_disk_low 0"));
  EXPECT_EQ(told_at(1'000), 3U);
  const auto stored = world_.stored();
  EXPECT_THAT(stored, HasSubstr(R"("type":"io.warifu.disk.changed","subject":"server:disk")"));
  EXPECT_THAT(stored, HasSubstr(R"("state":"low","available_bytes":1072693248)"));
  EXPECT_THAT(stored, HasSubstr("disk.enough server:disk"));
}

// A disk that is full takes no event either.
TEST_F(DiskWatchTest, WhatCouldNotBeWrittenIsToldLater) {
  disk_.is_full = true;
  EXPECT_EQ(told_at(0), 0U);
  EXPECT_THAT(metrics_.text(), HasSubstr("warifu_disk_low 1")) << "the metric needs no room";
  disk_.is_full = false;
  EXPECT_EQ(told_at(10), 1U);
}

TEST_F(DiskWatchTest, SaysNothingOfADiskThatIsAnotherMachines) {
  disk_.space.reset();
  EXPECT_TRUE(watch_.look());
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(DiskWatchTest, TheLimitIsTheOperatorsOrFitsTheDisk) {
  EXPECT_EQ(DiskWatch::default_alarm(10'240 * kMebibyte), 1'024 * kMebibyte);
  EXPECT_EQ(DiskWatch::default_alarm(100 * kMebibyte), 10 * kMebibyte);
  disk_.space = store::DiskSpace{1, 100 * kMebibyte};
  DiskWatch never(world_.clock, world_.entropy, disk_, metrics_, 0);
  EXPECT_TRUE(never.look());
  EXPECT_EQ(waiting(), 0U);
  disk_.space = store::DiskSpace{50 * kMebibyte, 100 * kMebibyte};
  DiskWatch eager(world_.clock, world_.entropy, disk_, metrics_, 60 * kMebibyte);
  EXPECT_TRUE(eager.look());
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(DiskWatchTest, AStoreInAFileKnowsItsDisk) {
  const auto space = world_.store->disk_space();
  ASSERT_TRUE(space);
  ASSERT_TRUE(*space);
  EXPECT_GT((*space)->total, 0U);
  EXPECT_LE((*space)->available, (*space)->total);
}

}  // namespace
}  // namespace warifu::front::housekeeping
