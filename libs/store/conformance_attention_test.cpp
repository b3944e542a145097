// What provisioning may rely on for approvals, alerts, and the diary of attempts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"

namespace warifu::store {
namespace {

using provisioning::Alert;
using provisioning::AlertKey;
using provisioning::Approval;
using provisioning::Attempt;
using sample::fields;

class AttentionConformance : public ConformanceTest {
 protected:
  Alert alert(std::string kind, std::uint64_t registration, std::string subject, std::uint64_t at = 1) const {
    return {.scope = here_,
            .kind = std::move(kind),
            .registration_id = sample::registration(registration),
            .subject = std::move(subject),
            .detail = "first",
            .count = 1,
            .first_at = sample::time(at),
            .last_at = sample::time(at),
            .acknowledged_at = std::nullopt};
  }
  auto alerts_of(std::uint64_t registration) {
    return found(
        [&](Snapshot& s) { return s.provisioning().list_alerts_of(here_, sample::registration(registration)); });
  }
  Attempt attempt(std::uint64_t number, std::uint64_t registration, std::string code = {}) const {
    return {here_,
            sample::registration(registration),
            sample::uuid(sample::Kind::kToken, number),
            sample::time(number),
            "2001:db8::7",
            "challenge",
            std::move(code),
            "all of it\nin \"any\" form: '; --",
            std::to_string(number),  // each of a network of its own
            1,
            sample::time(number)};
  }
  // What one client does again and again.
  Attempt repeated(std::uint64_t number, std::chrono::seconds after, std::string code = "token.expired") const {
    auto one = attempt(number, 1, std::move(code));
    one.at = one.first_at = sample::time(0) + after;
    one.peer_network = "network";
    return one;
  }
  void add(const std::vector<Attempt>& all) {
    ASSERT_TRUE(world_.store->write([&](Transaction& t) -> Status {
      for (const auto& one : all)
        TRY_STATUS(t.diary().add(one));
      return {};
    }));
  }
  auto attempts(std::uint64_t registration, std::size_t limit = 100) {
    return found(
        [&](Snapshot& s) { return s.provisioning().list_attempts(here_, sample::registration(registration), limit); });
  }
};

TEST_P(AttentionConformance, ARegistrationWaitsForOneApproval) {
  Approval approval{here_, sample::registration(1), sample::bytes(34, 1), sample::bytes(34, 2), sample::time(1), {}};
  const auto find = [&](const ScopeId& scope) {
    return found([&](Snapshot& s) { return s.provisioning().find_approval(scope, sample::registration(1)); });
  };
  EXPECT_FALSE(find(here_));
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_approval(approval); }));
  EXPECT_EQ(fields(*find(here_)), fields(approval));
  approval.approved_at = sample::time(2);
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_approval(approval); }));
  EXPECT_EQ(fields(*find(here_)), fields(approval));
  // Other keys are another wish.
  approval = {here_, sample::registration(1), sample::bytes(34, 3), sample::bytes(34, 4), sample::time(3), {}};
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_approval(approval); }));
  EXPECT_EQ(fields(*find(here_)), fields(approval));
  EXPECT_FALSE(find(there_));
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().remove_approval(here_, sample::registration(1)); }));
  EXPECT_FALSE(find(here_));
}

TEST_P(AttentionConformance, WishesGoWithTheGenerationOfTheirGroupOrWithTheirEk) {
  const auto wish = [&](std::uint64_t number, std::uint64_t ek, std::uint64_t generation) {
    Approval one{here_, sample::registration(number), sample::bytes(34, ek), {2}, sample::time(1), {}};
    if (generation > 0) one.enrollment_id = sample::uuid(sample::Kind::kEnrollment, generation);
    one.ek_public = sample::bytes(314, ek);
    return one;
  };
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (const auto& one : {wish(1, 1, 1), wish(2, 1, 1), wish(3, 2, 1), wish(4, 1, 2), wish(5, 1, 0)})
      TRY_STATUS(t.provisioning().put_approval(one));
    auto other = wish(1, 1, 1);
    other.scope = there_;
    return t.provisioning().put_approval(other);
  }));
  const auto left = [&](const ScopeId& scope) {
    std::string numbers;
    for (std::uint64_t i = 1; i <= 5; ++i)
      if (found([&](Snapshot& s) { return s.provisioning().find_approval(scope, sample::registration(i)); }))
        numbers += std::to_string(i);
    return numbers;
  };
  const auto generation = sample::uuid(sample::Kind::kEnrollment, 1);
  ASSERT_TRUE(change([&](Transaction& t) {
    return t.provisioning().remove_approvals_of_ek(here_, generation, sample::bytes(34, 1));
  }));
  EXPECT_EQ(left(here_), "345");
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().remove_approvals_of_group(here_, generation); }));
  EXPECT_EQ(left(here_), "45");
  EXPECT_EQ(left(there_), "1");
}

TEST_P(AttentionConformance, UncertifiedWishesAreCountedByTheGenerationOfTheirGroup) {
  const auto uncertified = [&](std::uint64_t number, std::uint64_t generation) {
    return Approval{.scope = here_,
                    .registration_id = sample::registration(number),
                    .ek_name = sample::bytes(34, number),
                    .srk_name = sample::bytes(34, 2),
                    .requested_at = sample::time(number),
                    .approved_at = {},
                    .group = GroupId::parse("plant").value(),
                    .enrollment_id = sample::uuid(sample::Kind::kEnrollment, generation),
                    .is_uncertified = true,
                    .ek_public = sample::bytes(314, number)};
  };
  auto approved = uncertified(3, 1);
  approved.approved_at = sample::time(9);
  auto another_wish = uncertified(4, 1);
  another_wish.is_uncertified = false;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (const auto& one : {uncertified(1, 1), uncertified(2, 1), approved, another_wish, uncertified(5, 2)})
      TRY_STATUS(t.provisioning().put_approval(one));
    return {};
  }));
  const auto found_one =
      found([&](Snapshot& s) { return s.provisioning().find_approval(here_, sample::registration(1)); });
  EXPECT_EQ(fields(*found_one), fields(uncertified(1, 1)));
  const auto count = [&](const ScopeId& scope, std::uint64_t generation, std::size_t limit) {
    const auto id = sample::uuid(sample::Kind::kEnrollment, generation);
    return found([&](Snapshot& s) { return s.provisioning().count_uncertified(scope, id, limit); });
  };
  EXPECT_EQ(count(here_, 1, 10), 2U);
  EXPECT_EQ(count(here_, 1, 1), 1U);
  EXPECT_EQ(count(here_, 2, 10), 1U);
  EXPECT_EQ(count(there_, 1, 10), 0U);
}

TEST_P(AttentionConformance, ApprovalsAreListedByRegistration) {
  std::vector<RegistrationId> expected;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 5; ++i) {
      expected.push_back(sample::registration(i));
      TRY_STATUS(t.provisioning().put_approval({here_, expected.back(), {1}, {2}, sample::time(i), {}}));
    }
    return t.provisioning().put_approval({there_, sample::registration(9), {1}, {2}, sample::time(9), {}});
  }));
  std::ranges::sort(expected);
  std::vector<RegistrationId> ids;
  provisioning::Page<RegistrationId> page{std::nullopt, 2};
  for (;;) {
    const auto part = found([&](Snapshot& s) { return s.provisioning().list_approvals(here_, page); });
    if (part.empty()) break;
    EXPECT_LE(part.size(), 2U);
    for (const auto& approval : part)
      ids.push_back(approval.registration_id);
    page.after = ids.back();
  }
  EXPECT_EQ(ids, expected);
}

TEST_P(AttentionConformance, TheSameAlertAgainCountsUpAndTakesBackThatItWasAcknowledged) {
  const AlertKey key{sample::registration(1), "ek.duplicate", "meter-2"};
  const auto raise = [&](const Alert& alert) {
    return change([&](Transaction& t) { return t.provisioning().raise_alert(alert); });
  };
  auto expected = alert("ek.duplicate", 1, "meter-2", 10);
  ASSERT_TRUE(raise(expected));
  ASSERT_EQ(alerts_of(1).size(), 1U);
  EXPECT_EQ(fields(alerts_of(1)[0]), fields(expected));

  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().acknowledge_alert(here_, key, sample::time(15)); }));
  expected.acknowledged_at = sample::time(15);
  EXPECT_EQ(fields(alerts_of(1)[0]), fields(expected));

  auto again = alert("ek.duplicate", 1, "meter-2", 20);
  again.detail = "second";
  ASSERT_TRUE(raise(again));
  ASSERT_TRUE(raise(again));
  expected.detail = "second";
  expected.count = 3;
  expected.last_at = sample::time(20);
  expected.acknowledged_at.reset();
  ASSERT_EQ(alerts_of(1).size(), 1U);
  EXPECT_EQ(fields(alerts_of(1)[0]), fields(expected));
}

TEST_P(AttentionConformance, AnAlertIsAcknowledgedByItsWholeKey) {
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().raise_alert(alert("ek.duplicate", 1, "meter-2")));
    return t.provisioning().raise_alert(alert("ek.duplicate", 1, "meter-3"));
  }));
  const auto acknowledge = [&](const ScopeId& scope, const AlertKey& key) {
    return code_of([&](Transaction& t) { return t.provisioning().acknowledge_alert(scope, key, sample::time(5)); });
  };
  const AlertKey key{sample::registration(1), "ek.duplicate", "meter-2"};
  EXPECT_EQ(acknowledge(there_, key), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, {sample::registration(2), key.kind, key.subject}), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, {key.registration_id, "srk.overlap", key.subject}), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, {key.registration_id, key.kind, "meter-4"}), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, key), "");
  const auto alerts = alerts_of(1);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].acknowledged_at, sample::time(5));
  EXPECT_EQ(alerts[1].acknowledged_at, std::nullopt);
}

TEST_P(AttentionConformance, AlertsAreListedInTheOrderOfTheirKeyAndNoneIsMissed) {
  using Place = std::tuple<std::string, std::string, std::string>;
  std::vector<Place> expected;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (const std::uint64_t registration : {3U, 1U, 2U})
      for (const char* kind : {"srk.overlap", "ek.duplicate"})
        for (const char* subject : {"b", "a"}) {
          TRY_STATUS(t.provisioning().raise_alert(alert(kind, registration, subject)));
          expected.emplace_back(sample::registration(registration).text(), kind, subject);
        }
    return {};
  }));
  std::ranges::sort(expected);
  std::vector<Place> places;
  provisioning::Page<AlertKey> page{std::nullopt, 5};
  for (;;) {
    const auto part = found([&](Snapshot& s) { return s.provisioning().list_alerts(here_, page); });
    if (part.empty()) break;
    EXPECT_LE(part.size(), 5U);
    for (const auto& alert : part)
      places.emplace_back(alert.registration_id.text(), alert.kind, alert.subject);
    page.after = AlertKey{part.back().registration_id, part.back().kind, part.back().subject};
  }
  EXPECT_EQ(places, expected);
  EXPECT_EQ(alerts_of(1).size(), 4U);
  EXPECT_TRUE(found([&](Snapshot& s) { return s.provisioning().list_alerts(there_, {std::nullopt, 5}); }).empty());
}

TEST_P(AttentionConformance, TheDiaryNeedsNoAuditEntryAndEverythingElseDoes) {
  EXPECT_EQ(code_without_entry([&](Transaction& t) { return t.diary().add(attempt(1, 1)); }), "");
  EXPECT_EQ(attempts(1).size(), 1U);
  // A diary's rows do not pay for others'.
  const std::function<Status(provisioning::Records&)> writes[] = {
      [&](auto& r) { return r.put_device(sample::device(1, 1, here_)); },
      [&](auto& r) { return r.insert_operation(sample::operation(1, 1, here_)); },
      [&](auto& r) { return r.raise_alert(alert("ek.duplicate", 1, "meter-2")); },
      [&](auto& r) {
        return r.put_approval({here_, sample::registration(1), {1}, {2}, sample::time(1), {}});
      },
      [&](auto& r) { return r.note_replaced_srk(here_, sample::registration(1), Bytes{1}, sample::time(1)); },
  };
  for (const auto& write : writes) {
    EXPECT_EQ(code_without_entry([&](Transaction& t) { return write(t.provisioning()); }), "store.unaudited");
    EXPECT_EQ(code_without_entry([&](Transaction& t) -> Status {
                TRY_STATUS(t.diary().add(attempt(2, 1)));
                TRY_STATUS(t.diary().add(attempt(3, 1)));
                return write(t.provisioning());
              }),
              "store.unaudited");
  }
  EXPECT_EQ(attempts(1).size(), 1U) << "what was undone took its attempts along";
  EXPECT_TRUE(alerts_of(1).empty());
  EXPECT_EQ(
      code_without_entry([&](Transaction& t) { return t.diary().purge(here_, sample::time(9), 10).map([](auto) {}); }),
      "");
  EXPECT_TRUE(attempts(1).empty());
}

TEST_P(AttentionConformance, AttemptsAreListedTheNewestFirst) {
  ASSERT_TRUE(world_.store->write([&](Transaction& t) -> Status {
    for (const std::uint64_t number : {2U, 1U, 3U})
      TRY_STATUS(t.diary().add(attempt(number, 1, "enrollment.ek")));
    TRY_STATUS(t.diary().add(attempt(3, 1, "the same request told again")));
    return t.diary().add(attempt(4, 2));
  }));
  const auto listed = attempts(1);
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(fields(listed[0]), fields(attempt(3, 1, "enrollment.ek")));
  EXPECT_EQ(fields(listed[1]), fields(attempt(2, 1, "enrollment.ek")));
  EXPECT_EQ(fields(listed[2]), fields(attempt(1, 1, "enrollment.ek")));
  EXPECT_EQ(attempts(1, 2).size(), 2U);
  EXPECT_EQ(attempts(2).size(), 1U);
}

TEST_P(AttentionConformance, AttemptsAlikeWithinAMinuteAreOneRowWithACount) {
  using std::chrono::seconds;
  auto three = repeated(3, seconds(59));
  three.count = 3;
  add({repeated(1, seconds(0)), repeated(2, seconds(30)), three});
  ASSERT_EQ(attempts(1).size(), 1U);
  auto expected = three;
  expected.count = 5;
  expected.first_at = sample::time(0);
  EXPECT_EQ(fields(attempts(1)[0]), fields(expected));

  add({three});
  EXPECT_EQ(attempts(1)[0].count, 5) << "told already";
  add({repeated(4, seconds(60))});
  EXPECT_EQ(attempts(1).size(), 2U) << "a minute is over";

  auto elsewhere = repeated(5, seconds(61));
  elsewhere.peer_network = "another";
  auto further = repeated(6, seconds(61));
  further.stage = "operation";
  add({elsewhere, further, repeated(7, seconds(61), "token.resource")});
  EXPECT_EQ(attempts(1).size(), 5U);
  auto other_meter = repeated(8, seconds(61));
  other_meter.registration_id = sample::registration(2);
  add({other_meter});
  EXPECT_EQ(attempts(2).size(), 1U);
}

// A transaction that runs twice may decide otherwise the second time.
TEST_P(AttentionConformance, ARequestThatWasToldTwoWaysCostsNobodyElseHisRow) {
  using std::chrono::seconds;
  add({repeated(1, seconds(0), "a"), repeated(2, seconds(0), "b")});
  add({repeated(3, seconds(1), "a"), repeated(3, seconds(1), "b"), repeated(4, seconds(1), "c")});
  EXPECT_EQ(attempts(1).size(), 3U);
}

TEST_P(AttentionConformance, OfARegistrationTheNewestAttemptsAreKept) {
  constexpr auto kMax = provisioning::Diary::kPerRegistrationMax;
  std::vector<Attempt> all;
  for (std::uint64_t number = 1; number <= kMax + 7; ++number)
    all.push_back(attempt(number, 1));
  all.push_back(attempt(1, 2));
  add(all);
  const auto kept = attempts(1, kMax + 100);
  ASSERT_EQ(kept.size(), kMax);
  EXPECT_EQ(kept.front().at, sample::time(kMax + 7));
  EXPECT_EQ(kept.back().at, sample::time(8));
  EXPECT_EQ(attempts(2).size(), 1U);
}

TEST_P(AttentionConformance, TheOldestAttemptsGoFirstOfIdsThatAreEnrolledAndOfOthers) {
  std::vector<Attempt> all;
  for (std::uint64_t number = 1; number <= 6; ++number) {
    all.push_back(attempt(number, 1));
    all.push_back(attempt(number, 2));
    all.back().is_enrolled = false;
  }
  add(all);
  const auto count = [&](bool is_enrolled, std::size_t limit) {
    return found([&](Snapshot& s) { return s.provisioning().count_attempts(here_, is_enrolled, limit); });
  };
  EXPECT_EQ(count(true, 100), 6U);
  EXPECT_EQ(count(false, 100), 6U);
  EXPECT_EQ(count(false, 4), 4U);
  std::size_t removed = 0;
  ASSERT_TRUE(world_.store->write([&](Transaction& t) -> Status {
    TRY(removed, t.diary().trim(here_, false, 4));
    return {};
  }));
  EXPECT_EQ(removed, 4U);
  EXPECT_EQ(attempts(1).size(), 6U);
  const auto left = attempts(2);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left.back().at, sample::time(5));
  EXPECT_FALSE(left.back().is_enrolled);
}

TEST_P(AttentionConformance, OldAttemptsArePurgedAFewAtATime) {
  std::size_t first = 0;
  std::size_t rest = 0;
  ASSERT_TRUE(world_.store->write([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 10; ++i)
      TRY_STATUS(t.diary().add(attempt(i, 1)));
    auto other = attempt(0, 1);
    other.scope = there_;
    TRY_STATUS(t.diary().add(other));
    TRY(first, t.diary().purge(here_, sample::time(6), 4));
    TRY(rest, t.diary().purge(here_, sample::time(6), 4));
    return {};
  }));
  EXPECT_EQ(first, 4U);
  EXPECT_EQ(rest, 2U);
  const auto left = attempts(1);
  ASSERT_EQ(left.size(), 4U);
  EXPECT_EQ(left.back().at, sample::time(6));
  EXPECT_EQ(
      found([&](Snapshot& s) { return s.provisioning().list_attempts(there_, sample::registration(1), 10); }).size(),
      1U);
}

INSTANTIATE_TEST_SUITE_P(Databases, AttentionConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
