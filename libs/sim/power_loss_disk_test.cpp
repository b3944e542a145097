#include "sim/power_loss_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace warifu::sim {
namespace {

using Outcome = PowerLossDisk::Outcome;

std::string content_of(PowerLossDisk& disk, const std::string& name) {
  const auto file = disk.open(name, false);
  if (!file) return "(no file)";
  Bytes content(disk.size(*file).value());
  EXPECT_EQ(disk.read(*file, 0, content), content.size());
  return std::string(as_text(content));
}

// What may be left of the file "f" after `prepare`, by many seeds.
std::set<std::string> fates(const std::function<void(PowerLossDisk&)>& prepare) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    PowerLossDisk disk;
    prepare(disk);
    disk.cut(seed);
    disk.restore();
    seen.insert(content_of(disk, "f"));
  }
  return seen;
}

TEST(PowerLossDisk, KeepsWhatWasSynced) {
  EXPECT_THAT(fates([](PowerLossDisk& disk) {
                const auto file = disk.open("f", true);
                disk.write(*file, 0, as_bytes("safe"));
                disk.sync(*file);
              }),
              testing::ElementsAre("safe"));
}

TEST(PowerLossDisk, LosesSyncedDataWhenSyncsAreIgnored) {
  EXPECT_THAT(fates([](PowerLossDisk& disk) {
                disk.ignore_syncs(true);
                const auto file = disk.open("f", true);
                disk.write(*file, 0, as_bytes("safe"));
                disk.sync(*file);
              }),
              testing::UnorderedElementsAre("(no file)", "", "safe"));
}

TEST(PowerLossDisk, KeepsOrLosesEachWriteForItself) {
  EXPECT_THAT(fates([](PowerLossDisk& disk) {
                const auto file = disk.open("f", true);
                disk.write(*file, 0, as_bytes("----"));
                disk.sync(*file);
                disk.write(*file, 0, as_bytes("1"));
                disk.write(*file, 3, as_bytes("2"));
              }),
              testing::UnorderedElementsAre("----", "1---", "---2", "1--2"));
}

TEST(PowerLossDisk, TearsAWriteBetweenSectorsOnly) {
  const std::size_t left = 100;
  const auto torn = fates([&](PowerLossDisk& disk) {
    const auto file = disk.open("f", true);
    disk.write(*file, 0, as_bytes(std::string(1024, '-')));
    disk.sync(*file);
    disk.write(*file, PowerLossDisk::kSectorSize - left, as_bytes(std::string(2 * left, '#')));
  });
  const std::string before(PowerLossDisk::kSectorSize - left, '-');
  const std::string none(left, '-');
  const std::string all(left, '#');
  EXPECT_THAT(torn, testing::UnorderedElementsAre(before + none + none + before, before + all + none + before,
                                                  before + none + all + before, before + all + all + before));
}

TEST(PowerLossDisk, MayUndoTruncationsAndDeletions) {
  const auto make = [](PowerLossDisk& disk) {
    auto file = disk.open("f", true);
    disk.write(*file, 0, as_bytes("long"));
    disk.sync(*file);
    return file;
  };
  EXPECT_THAT(fates([&](PowerLossDisk& disk) { disk.truncate(*make(disk), 1); }),
              testing::UnorderedElementsAre("long", "l"));
  EXPECT_THAT(fates([&](PowerLossDisk& disk) {
                make(disk);
                disk.remove("f", false);
              }),
              testing::UnorderedElementsAre("long", "(no file)"));
  EXPECT_THAT(fates([&](PowerLossDisk& disk) {
                make(disk);
                disk.remove("f", true);
              }),
              testing::ElementsAre("(no file)"));
  EXPECT_THAT(fates([&](PowerLossDisk& disk) {
                make(disk);
                disk.remove("f", false);
                disk.sync(*disk.open("new", true));
              }),
              testing::ElementsAre("(no file)"))
      << "the directory was synced with the new file";
}

TEST(PowerLossDisk, OpenFilesDieWithThePower) {
  PowerLossDisk disk;
  const auto file = disk.open("f", true);
  disk.cut_after(2, 7);
  EXPECT_EQ(disk.write(*file, 0, as_bytes("1")), Outcome::kDone);
  EXPECT_EQ(disk.sync(*file), Outcome::kNoPower);
  EXPECT_FALSE(disk.has_power());
  EXPECT_EQ(disk.open("f", true), nullptr);
  disk.restore();
  EXPECT_EQ(disk.write(*file, 0, as_bytes("2")), Outcome::kNoPower);
  EXPECT_FALSE(disk.size(*file));
  EXPECT_NE(disk.open("g", true), nullptr);
}

TEST(PowerLossDisk, RefusesToGrowBeyondItsRoomAndTakesItBack) {
  PowerLossDisk disk;
  const auto file = disk.open("f", true);
  disk.set_free_bytes(4);
  EXPECT_EQ(disk.write(*file, 0, as_bytes("1234")), Outcome::kDone);
  EXPECT_EQ(disk.write(*file, 4, as_bytes("5")), Outcome::kFull);
  EXPECT_EQ(disk.write(*file, 0, as_bytes("4321")), Outcome::kDone);
  EXPECT_EQ(disk.truncate(*file, 0), Outcome::kDone);
  EXPECT_EQ(disk.write(*file, 0, as_bytes("12")), Outcome::kDone);
}

}  // namespace
}  // namespace warifu::sim
