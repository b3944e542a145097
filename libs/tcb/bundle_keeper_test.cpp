// The bundle that a device believes: what a power cut, an old folder, a lying file and a cleared TPM make of it.
#include "tcb/bundle_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/state_record.h"
#include "tcb/test_tpm.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::tcb {
namespace {

using testing::SizeIs;
using trust_bundle::Contents;
using trust_bundle::Envelope;
using trust_bundle::TrustedBundle;
using People = trust_bundle::TestOrganisation;

class BundleKeeperTest : public testing::Test {
 protected:
  static constexpr int kBundles = 5;

  BundleKeeperTest() {
    Contents contents = people_.first();
    for (int version = 1; version <= kBundles; ++version) {
      contents.version = static_cast<std::uint64_t>(version);
      contents.issued_at = trust_bundle::day(version);
      json_.push_back(people_.signed_by(contents, {"Root-1", "Ann", "bob"}).to_json());
    }
  }
  const std::string& bundle(int version) const { return json_.at(static_cast<std::size_t>(version - 1)); }
  void follow_to(int version) {
    for (int i = 1; i <= version; ++i)
      ASSERT_TRUE(follow(i).empty()) << i;
  }
  // What is in memory is gone; files and TPM stay.
  void restart() {
    power_.restore();
    keeper_.emplace(nv_, files_, journal_, root_);
  }
  std::string follow(int version) { return follow(bundle(version)); }
  std::string follow(const std::string& json) {
    const auto followed = keeper_->follow(json);
    return followed ? "" : std::string(followed.error().code);
  }
  // 0: none.
  std::uint64_t version() {
    const auto held = keeper_->held();
    EXPECT_TRUE(held) << to_string(held.error());
    return held && (*held)->bundle ? (*held)->bundle->version() : 0;
  }
  // Of whether a server may be believed.
  std::string refusal() {
    const auto checked = (*keeper_->held())->check_not_rolled_back();
    return checked ? "" : std::string(checked.error().code);
  }

  People people_;
  std::vector<std::string> json_;
  TestPower power_;
  TestFiles files_{power_};
  TestNv nv_{power_};
  TestJournal journal_;
  const crypto::Certificate root_ = people_.root("Root-1").certificate.clone();
  std::optional<BundleKeeper> keeper_{std::in_place, nv_, files_, journal_, root_};
};

TEST_F(BundleKeeperTest, BeginsWithThePinnedRootAndFollows) {
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(refusal(), "") << "a new device has its root";
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(keeper_->follow(bundle(i)).value());
    EXPECT_FALSE(keeper_->follow(bundle(i)).value()) << "nothing new";
    EXPECT_EQ(version(), static_cast<std::uint64_t>(i));
    restart();
    EXPECT_EQ(version(), static_cast<std::uint64_t>(i));
    EXPECT_EQ(refusal(), "");
  }
  EXPECT_THAT(journal_.warnings, SizeIs(0));
}

TEST_F(BundleKeeperTest, IsOfThePinnedRootOnly) {
  const auto other = people_.root("Root-2").certificate.clone();
  keeper_.emplace(nv_, files_, journal_, other);
  EXPECT_EQ(follow(1), "bundle.pinned-root");
  EXPECT_FALSE(nv_.anchor);
  EXPECT_EQ(files_.writes, 0);
}

TEST_F(BundleKeeperTest, TakesNothingThatDoesNotFollow) {
  follow_to(3);
  const int writes = files_.writes;
  const auto anchor = nv_.anchor;
  EXPECT_EQ(follow(2), "bundle.rollback");
  EXPECT_EQ(follow(5), "bundle.gap");
  Contents fork = people_.first();
  fork.version = 3;
  fork.expires_at += std::chrono::days(1);
  EXPECT_EQ(follow(people_.signed_by(fork, {"Ann", "bob"}).to_json()), "bundle.fork");
  fork.version = 4;
  EXPECT_EQ(follow(people_.signed_by(fork, {"Ann"}).to_json()), "bundle.issued-at");
  fork.issued_at = trust_bundle::day(4);
  EXPECT_EQ(follow(people_.signed_by(fork, {"Ann"}).to_json()), "bundle.signatures");
  EXPECT_EQ(follow("{}"), "json.missing");
  EXPECT_EQ(files_.writes, writes);
  EXPECT_EQ(nv_.anchor, anchor);
  EXPECT_EQ(version(), 3U);
}

// The file before the anchor, and both before memory: whatever was cut, one of the two stands, and no server is refused
// for it.
TEST_F(BundleKeeperTest, IsTheOldOneOrTheNewOneAfterAPowerCutAtEachStep) {
  int cuts = 0;
  for (int step = 1;; ++step) {
    files_.files.clear();
    nv_.clear();
    restart();
    follow_to(2);
    power_.cut_at(step);
    const std::string outcome = follow(3);
    if (!power_.has_failed()) {
      EXPECT_EQ(outcome, "");
      break;
    }
    ++cuts;
    restart();
    const auto stands = version();
    EXPECT_TRUE(stands == 2 || stands == 3) << "step " << step;
    EXPECT_EQ(refusal(), "") << "step " << step;
    EXPECT_EQ(follow(3), "") << "step " << step;
    restart();
    EXPECT_EQ(version(), 3U) << "step " << step;
  }
  EXPECT_GE(cuts, 6);
}

// Cut once more while the cut is mended.
TEST_F(BundleKeeperTest, IsMendedAlsoWhenPowerFailsAgain) {
  for (int first = 1; first <= 12; ++first)
    for (int second = 1; second <= 6; ++second) {
      files_.files.clear();
      nv_.clear();
      restart();
      follow_to(2);
      power_.cut_at(first);
      follow(3);
      restart();
      power_.cut_at(second);
      static_cast<void>(keeper_->held());
      restart();
      EXPECT_GE(version(), 2U) << first << ", " << second;
      EXPECT_EQ(refusal(), "") << first << ", " << second;
      EXPECT_EQ(follow(3), "");
      EXPECT_EQ(follow(4), "");
    }
}

TEST_F(BundleKeeperTest, BeginsAnewAfterAPowerCutWithTheFirst) {
  for (int step = 1;; ++step) {
    files_.files.clear();
    nv_.clear();
    restart();
    power_.cut_at(step);
    follow(1);
    if (!power_.has_failed()) break;
    restart();
    EXPECT_EQ(follow(1), "") << step;
    EXPECT_EQ(version(), 1U);
    EXPECT_EQ(refusal(), "");
  }
}

// A mix of two anchors is believed as neither, whatever of it was written.
TEST_F(BundleKeeperTest, BeginsAnewAfterAPowerCutThatToreTheAnchor) {
  constexpr int kInTheAnchor = 5;  // after two steps of the file, and one that reads the counter
  int torn = 0;
  for (nv_.torn_at = 0; nv_.torn_at <= AnchorNv::kAnchorSize; ++nv_.torn_at) {
    files_.files.clear();
    nv_.clear();
    restart();
    follow_to(2);
    power_.cut_at(kInTheAnchor);
    EXPECT_EQ(follow(3), "test.power");
    restart();
    const bool is_torn = version() == 0;
    EXPECT_EQ(refusal(), is_torn ? "bundle.rollback" : "") << nv_.torn_at;
    if (is_torn) {
      ++torn;
      follow_to(2);
    }
    EXPECT_EQ(follow(3), "") << nv_.torn_at;
    EXPECT_EQ(refusal(), "") << nv_.torn_at;
  }
  EXPECT_GE(torn, 48);
}

// Also with what an earlier try has left behind.
TEST_F(BundleKeeperTest, StaysWithItsRootOnATpmThatCannotBeWritten) {
  const auto stays = [&] {
    nv_.refuses = Error{ErrorKind::kRefused, "tpm.auth", "a wrong owner's auth"};
    EXPECT_EQ(follow(1), "tpm.auth");
    restart();
    EXPECT_EQ(version(), 0U);
    EXPECT_EQ(refusal(), "") << "the server that it has is believed on";
    EXPECT_THAT(files_.files, SizeIs(0));
    nv_.refuses.reset();
  };
  stays();
  ASSERT_TRUE(BundleAnchor(nv_).prepare());
  stays();
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(follow(1), "");
  EXPECT_EQ(version(), 1U);
}

// The drill "bundle rollback".
TEST_F(BundleKeeperTest, RefusesAnOldFolderBecauseTheTpmRemembersMore) {
  follow_to(1);
  const auto old = files_.files;
  for (int i = 2; i <= 4; ++i)
    EXPECT_EQ(follow(i), "");
  files_.files = old;
  restart();
  EXPECT_EQ(version(), 0U) << "the old one is not believed";
  EXPECT_EQ(refusal(), "bundle.rollback");
  EXPECT_THAT(journal_.warnings, SizeIs(1));
  for (int i = 1; i <= 3; ++i)
    EXPECT_EQ(follow(i), "bundle.rollback") << "nor followed again";
  EXPECT_EQ(follow(5), "bundle.gap");
  Contents forged = people_.first();
  forged.version = 4;
  EXPECT_EQ(follow(people_.signed_by(forged, {"Root-1", "Ann", "bob"}).to_json()), "bundle.anchor");
  EXPECT_EQ(follow(4), "") << "the very one that it remembers";
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(follow(5), "");
}

TEST_F(BundleKeeperTest, NeedsNoFileThatIsTornLostOrLies) {
  follow_to(3);
  const auto good = files_.files.at("trust-bundle");
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, good.size() / 2, good.size() - 1}) {
    files_.files["trust-bundle"] = to_bytes(ByteView(good).first(size));
    restart();
    EXPECT_EQ(refusal(), "bundle.rollback") << size;
    EXPECT_EQ(follow(3), "") << size;
    EXPECT_EQ(version(), 3U);
  }
  files_.files.clear();
  restart();
  EXPECT_EQ(follow(3), "");
  // One whose checksum is right, with bundles of somebody else.
  People others;
  const auto foreign = others.signed_by(others.first(), {"Root-1", "Ann", "bob"}).to_json();
  files_.files["trust-bundle"] = write_bundle({0, {to_bytes(as_bytes(foreign))}});
  restart();
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(follow(foreign), "bundle.rollback");
  EXPECT_EQ(follow(3), "");
}

TEST_F(BundleKeeperTest, GoesAsFarAsItWasAfterTheTpmWasCleared) {
  follow_to(4);
  nv_.clear();
  restart();
  EXPECT_EQ(version(), 0U) << "nothing vouches for the file any more";
  EXPECT_EQ(refusal(), "bundle.rollback");
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(follow(i), "");
    EXPECT_EQ(refusal(), "bundle.rollback") << i;
    restart();
    EXPECT_EQ(refusal(), "bundle.rollback") << "also after a restart, " << i;
  }
  EXPECT_EQ(follow(4), "");
  EXPECT_EQ(refusal(), "");
  restart();
  EXPECT_EQ(version(), 4U);
  EXPECT_EQ(refusal(), "");
}

TEST_F(BundleKeeperTest, ForgetsWhenTheOrganisationWantsIt) {
  follow_to(4);
  nv_.clear();
  ASSERT_TRUE(keeper_->forget());
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(follow(1), "");
}

// An anchor that somebody with the owner's auth wrote again: the counter is further.
TEST_F(BundleKeeperTest, BelievesNoAnchorThatItsCounterDoesNotFit) {
  follow_to(2);
  const auto old_files = files_.files;
  const auto old_anchor = nv_.anchor;
  EXPECT_EQ(follow(3), "");
  EXPECT_EQ(follow(4), "");
  files_.files = old_files;
  nv_.anchor = old_anchor;
  restart();
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(refusal(), "bundle.rollback");
  // And one without a counter, or with a new one, which begins above.
  nv_.counter.reset();
  restart();
  EXPECT_EQ(version(), 0U);
  ASSERT_TRUE(nv_.raise_anchor_counter());
  restart();
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(refusal(), "bundle.rollback");
}

TEST_F(BundleKeeperTest, SaysThatTheTpmIsAwayAndAsksAgain) {
  follow_to(2);
  restart();
  power_.cut_at(1);
  EXPECT_EQ(keeper_->held().error().code, "test.power");
  EXPECT_EQ(follow(3), "test.power");
  power_.restore();
  EXPECT_EQ(version(), 2U);
}

TEST(BundleRecords, AreReadAsTheyWereWrittenAndRefusedOtherwise) {
  const Bytes whole = write_bundle({7, {Bytes(300, 1), Bytes(20, 2)}});
  const auto read = parse_bundle(whole);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at_least, 7U);
  EXPECT_EQ(read->envelopes, (std::vector{Bytes(300, 1), Bytes(20, 2)}));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_bundle(ByteView(whole).first(size))) << size;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes altered = whole;
    altered[i] ^= 0x20;
    EXPECT_FALSE(parse_bundle(altered)) << i;
  }
  const auto body = [](std::string_view hex) {
    return parse_bundle(frame_record(RecordKind::kTrustBundle, from_hex(hex).value())).error();
  };
  EXPECT_EQ(body("0000000000000007"
                 "03")
                .where,
            "count");
  EXPECT_EQ(body("0000000000000007"
                 "01"
                 "00040001")
                .where,
            "size");
  EXPECT_EQ(body("0000000000000007"
                 "01"
                 "00000005"
                 "aabb")
                .code,
            "wire.truncated");
  EXPECT_EQ(body("0000000000000007"
                 "00"
                 "aa")
                .code,
            "wire.trailing");
}

}  // namespace
}  // namespace warifu::tcb
