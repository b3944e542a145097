#include "keystore/journal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "keystore/files.h"
#include "sim/power_loss_file_system.h"

namespace warifu::keystore {
namespace {

using testing::HasSubstr;

constexpr const char* kFolder = "journal";
constexpr const char* kFirst = "journal/journal-00000001.jsonl";
constexpr std::uint64_t kJournalSeeds = 64;

class JournalTest : public testing::Test {
 protected:
  void add(int count, std::size_t padding = 0) {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(journal_.add({{"what", fmt::format("{}{}", i, std::string(padding, 'x'))}}));
  }
  std::string content() { return std::string(as_text(**files_.read(kFirst))); }
  void write(std::string_view text) { ASSERT_TRUE(files_.append(kFirst, 0, as_bytes(text))); }

  sim::PowerLossDisk disk_;
  sim::PowerLossFileSystem files_{disk_};
  Journal journal_{files_, kFolder};
};

TEST_F(JournalTest, IsEmptyBeforeTheFirstLine) {
  EXPECT_EQ(journal_.check().value(), 0U);
}

TEST_F(JournalTest, NumbersItsLinesAndChainsThem) {
  add(3);
  EXPECT_EQ(journal_.check().value(), 3U);
  EXPECT_THAT(content(), HasSubstr(R"({"what":"0","number":1,"previous":"0000000000)"));
  EXPECT_THAT(content(), HasSubstr(R"({"what":"2","number":3,"previous":")"));
}

TEST_F(JournalTest, SeesALineThatWasChangedLeftOutOrExchanged) {
  add(4);
  const std::string whole = content();
  const auto line_end = [&](int line) {
    std::size_t at = 0;
    for (int i = 0; i < line; ++i)
      at = whole.find('\n', at) + 1;
    return at;
  };
  std::string changed = whole;
  changed.replace(changed.find(R"("1")"), 3, R"("7")");
  write(changed);
  EXPECT_EQ(journal_.check().error().code, "journal.broken");
  EXPECT_THAT(journal_.check().error().message, HasSubstr("line 3"));
  write(whole.substr(0, line_end(1)) + whole.substr(line_end(2)));
  EXPECT_EQ(journal_.check().error().code, "journal.broken");
  write(whole.substr(line_end(1)));
  EXPECT_EQ(journal_.check().error().code, "journal.broken");
  write("no line\n" + whole);
  EXPECT_EQ(journal_.check().error().code, "journal.broken");
  EXPECT_EQ(journal_.add({}).error().code, "journal.broken") << "no power cut leaves that";
  write(whole);
  EXPECT_EQ(journal_.check().value(), 4U);
  changed = whole;
  changed.replace(changed.rfind(R"("previous":")") + 12, 1, "x");
  write(changed);
  EXPECT_EQ(journal_.check().error().code, "journal.broken") << "the last one";
  EXPECT_EQ(journal_.add({}).error().code, "journal.broken");
}

TEST_F(JournalTest, WritesOverWhatAPowerCutLeftOfALine) {
  add(2);
  for (const std::string_view torn : {R"({"half)", "\n", "of the half\n"}) {
    const std::string before = content();
    write(before + std::string(torn));
    EXPECT_EQ(journal_.check().value(), 2U);
    add(1);
    EXPECT_EQ(journal_.check().value(), 3U);
    EXPECT_EQ(content().find("half"), std::string::npos);
    write(before);
  }
}

TEST_F(JournalTest, BeginsAnotherFileWhenOneIsLarge) {
  add(40, 30'000);
  EXPECT_EQ(journal_.check().value(), 40U);
  EXPECT_EQ(files_.list(kFolder)->size(), 3U);
  EXPECT_LT(content().size(), Journal::kFileSize + 40'000);
  ASSERT_TRUE(files_.remove(kFirst));
  EXPECT_EQ(journal_.check().error().code, "journal.broken") << "a whole file was left out";
}

TEST_F(JournalTest, GoesOnInAFileThatAPowerCutLeftEmpty) {
  add(18, 30'000);
  const std::string second = "journal/journal-00000002.jsonl";
  ASSERT_TRUE(files_.append(second, 0, {}));
  add(1);
  EXPECT_EQ(journal_.check().value(), 19U);
  EXPECT_THAT(std::string(as_text(**files_.read(second))), HasSubstr(R"("number":19)"));
}

TEST_F(JournalTest, TakesNoEntryThatItCouldNotReadAgain) {
  EXPECT_EQ(journal_.add({{"what", std::string(Journal::kEntrySizeMax, 'x')}}).error().code, "journal.size");
  EXPECT_EQ(journal_.check().value(), 0U);
}

TEST_F(JournalTest, AddsNothingWhenTheDiskIsFull) {
  add(2);
  const std::string before = content();
  disk_.set_free_bytes(5);
  EXPECT_EQ(journal_.add({{"what", "more"}}).error().code, "file.write");
  EXPECT_EQ(content(), before);
  disk_.set_unlimited();
  add(1);
  EXPECT_EQ(journal_.check().value(), 3U);
}

// One life: `before` lines are safe, then lines are added until the power fails at step `cut`. What was wrong
// afterwards, or nothing.
std::string live_a_journal(int before, std::uint64_t cut, std::uint64_t seed, bool ignores_syncs) {
  sim::PowerLossDisk disk;
  sim::PowerLossFileSystem files(disk);
  disk.ignore_syncs(ignores_syncs);
  Journal journal(files, kFolder);
  std::uint64_t reported = 0;
  const auto add = [&] {
    const bool done = journal.add({{"what", std::string(400, 'x')}}).has_value();
    reported += done ? 1 : 0;
    return done;
  };
  for (int i = 0; i < before; ++i)
    if (!add()) return "a line was not added";
  disk.cut_after(cut, seed);
  for (int i = 0; i < 3 && add(); ++i) {
  }
  if (disk.has_power()) disk.cut(seed);
  disk.restore();
  const auto found = journal.check();
  if (!found) return to_string(found.error());
  if (*found < reported) return fmt::format("{} lines were reported as written, and {} are there", reported, *found);
  if (!journal.add({{"what", "after"}}) || journal.check().value_or(0) != *found + 1) return "it cannot go on";
  return {};
}

TEST(JournalPowerLoss, LosesNoLineThatWasReported) {
  for (const int before : {0, 1, 5})
    for (std::uint64_t cut = 1; cut <= 8; ++cut)
      for (std::uint64_t seed = 0; seed < kJournalSeeds; ++seed)
        EXPECT_EQ(live_a_journal(before, cut, seed, false), "") << before << ' ' << cut << ' ' << seed;
}

TEST(JournalPowerLoss, WouldLoseLinesIfSyncsDidNothing) {
  int lost = 0;
  for (std::uint64_t cut = 1; cut <= 8; ++cut)
    for (std::uint64_t seed = 0; seed < kJournalSeeds; ++seed)
      lost += live_a_journal(1, cut, seed, true).empty() ? 0 : 1;
  EXPECT_GT(lost, 0);
}

TEST(JournalFiles, AreTheKernelsToo) {
  const TempDir folder;
  Journal journal(kernel_files(), folder.path().string());
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(journal.add({{"what", i}}));
  EXPECT_EQ(journal.check().value(), 3U);
  const std::string path = folder.path().string() + "/journal-00000001.jsonl";
  const auto size = std::filesystem::file_size(path);
  ASSERT_TRUE(kernel_files().append(path, size, as_bytes("half")));
  ASSERT_TRUE(journal.add({{"what", 4}}));
  EXPECT_EQ(journal.check().value(), 4U);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(kernel_files().append(folder.path().string() + "/missing/x", 0, {}).error().code, "file.write");
  EXPECT_TRUE(kernel_files().list(folder.path().string() + "/missing")->empty());
}

}  // namespace
}  // namespace warifu::keystore
