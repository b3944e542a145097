// write_file() on a disk that loses power at each of its steps.
#include <gtest/gtest.h>

#include "keystore/files.h"
#include "sim/power_loss_file_system.h"

namespace warifu::keystore {
namespace {

constexpr const char* kName = "state/identity";
constexpr std::uint64_t kSeeds = 64;

enum class Syncs { kHonoured, kIgnored };

// One life: an old content that was reported as safe, then a replacement during which the power fails at step `cut`.
// An empty text, or what was wrong afterwards.
std::string live(std::uint64_t cut, std::uint64_t seed, Syncs syncs) {
  sim::PowerLossDisk disk;
  sim::PowerLossFileSystem files(disk);
  disk.ignore_syncs(syncs == Syncs::kIgnored);
  const Bytes old_content(700, 'o');
  const Bytes new_content(900, 'n');
  if (!write_file(files, kName, old_content, FileMode::kPrivate)) return "the first write failed";
  disk.cut_after(cut, seed);
  const bool reported = write_file(files, kName, new_content, FileMode::kPrivate).has_value();
  if (disk.has_power()) disk.cut(seed);
  disk.restore();
  const auto found = files.read(kName);
  if (!found || !*found) return "the file is gone";
  if (**found == new_content) return {};
  if (**found != old_content) return "the file is neither the old nor the new one";
  return reported ? "the write was reported as done, and the old content is back" : "";
}

TEST(WriteFile, SurvivesAPowerCutAtEachStepWhole) {
  for (std::uint64_t cut = 1; cut <= 6; ++cut)
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
      EXPECT_EQ(live(cut, seed, Syncs::kHonoured), "") << cut << ' ' << seed;
}

TEST(WriteFile, WouldLoseContentIfSyncsDidNothing) {
  int lost = 0;
  for (std::uint64_t cut = 1; cut <= 6; ++cut)
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
      lost += live(cut, seed, Syncs::kIgnored).empty() ? 0 : 1;
  EXPECT_GT(lost, 0);
}

TEST(WriteFile, LeavesTheOldContentWhenTheDiskIsFull) {
  sim::PowerLossDisk disk;
  sim::PowerLossFileSystem files(disk);
  ASSERT_TRUE(write_file(files, kName, as_bytes("old"), FileMode::kPrivate));
  disk.set_free_bytes(2);
  const auto refused = write_file(files, kName, as_bytes("newer"), FileMode::kPrivate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "file.write");
  EXPECT_EQ(as_text(**files.read(kName)), "old");
}

}  // namespace
}  // namespace warifu::keystore
