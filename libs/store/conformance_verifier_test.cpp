// What the verifier may rely on for AKs, ledgers, event logs and evidence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"

namespace warifu::store {
namespace {

using attestation::Tier;
using testing::ElementsAre;
using verifier::AppliedPolicy;
using verifier::BoundAk;
using verifier::KeptEvidence;
using verifier::Ledger;

auto fields(const std::optional<AppliedPolicy>& policy) {
  return policy ? std::pair(policy->target, std::optional(policy->revision))
                : std::pair(std::string(), std::optional<Uuid>());
}
auto fields(const BoundAk& a) {
  return std::tuple(a.scope, a.registration_id, a.ek_name, a.ak_name, a.ak_public, a.bound_at);
}
auto fields(const Ledger& l) {
  const auto ima = l.ima.value_or(verifier::ImaProgress{});
  return std::tuple(std::tuple(l.scope, l.registration_id, l.ak_name, l.revision, l.nonce_at, l.boot_id, l.null_name,
                               l.event_log_sha256),
                    l.quote.clock.clock_ms, l.quote.clock.reset_count, l.quote.clock.restart_count, l.quote.clock.safe,
                    l.quote.firmware_version, l.quote.qualified_signer,
                    std::tuple(l.ima.has_value(), ima.replay, ima.offset, ima.entries, ima.worst), l.overall, l.result,
                    fields(l.policy), l.attested_at, l.next_due_at, l.passes);
}
auto fields(const KeptEvidence& e) {
  return std::tuple(std::tuple(e.scope, e.registration_id, e.number, e.at, e.why, e.ak_name, e.nonce, e.quote),
                    e.signature, e.registers, e.event_log_sha256, e.userspace_log, e.ima_offset, e.ima, e.result,
                    fields(e.policy));
}
class VerifierConformance : public ConformanceTest {
 protected:
  static Ledger ledger(std::uint64_t number, const ScopeId& scope) {
    Ledger row{.scope = scope, .registration_id = sample::registration(number), .ak_name = sample::bytes(34, number)};
    row.revision = 1;
    // As large as they get: a TPM hides its numbers behind constants.
    row.quote = {.clock = {.clock_ms = ~std::uint64_t{0}, .reset_count = ~0U, .restart_count = 7, .safe = true},
                 .firmware_version = ~std::uint64_t{1},
                 .qualified_signer = sample::bytes(34, 11)};
    row.nonce_at = sample::time(number);
    row.boot_id = "2f5c";
    row.null_name = sample::bytes(34, 99);
    row.event_log_sha256 = sample::bytes(32, 5);
    row.ima = verifier::ImaProgress{sample::bytes(80, 3), 5000, 50, Tier::kWarning};
    row.overall = Tier::kAffirming;
    row.result = R"({"overall":"affirming"})";
    row.policy = AppliedPolicy{"default", sample::uuid(sample::Kind::kToken, 1)};
    row.attested_at = sample::time(number);
    row.next_due_at = sample::time(100 - number);
    row.passes = 3;
    return row;
  }
  static KeptEvidence evidence(std::uint64_t device, const ScopeId& scope) {
    KeptEvidence row{.scope = scope, .registration_id = sample::registration(device)};
    row.at = sample::time(4);
    row.why = verifier::Keeping::kBoot;
    row.ak_name = sample::bytes(34, 1);
    row.nonce = sample::bytes(48, 2);
    row.quote = sample::bytes(120, 3);
    row.signature = sample::bytes(72, 4);
    row.registers = R"({"sha256":{}})";
    row.event_log_sha256 = sample::bytes(32, 5);
    row.userspace_log = {0x1e, 0x00, 0x0a};
    row.ima_offset = 9000;
    row.ima = sample::bytes(300, 6);
    row.result = "{}";
    row.policy = AppliedPolicy{"group/Meters", sample::uuid(sample::Kind::kToken, 2)};
    return row;
  }
  std::optional<Ledger> ledger_of(const ScopeId& scope, std::uint64_t number) {
    return found([&](Snapshot& s) { return s.verifier().find_ledger(scope, sample::registration(number)); });
  }
  void put(const Ledger& row) {
    ASSERT_EQ(code_of([&](Transaction& t) { return t.verifier().put_ledger(row, 0); }), "");
  }
};

TEST_P(VerifierConformance, AnotherAkTakesThePlaceOfTheFirst) {
  BoundAk row{here_,          sample::registration(1), sample::bytes(34, 1), sample::bytes(34, 2), sample::bytes(90, 3),
              sample::time(4)};
  const auto put = [&] { return code_of([&](Transaction& t) { return t.verifier().put_ak(row); }); };
  const auto found_in = [&](const ScopeId& scope) {
    return found([&](Snapshot& s) { return s.verifier().find_ak(scope, sample::registration(1)); });
  };
  EXPECT_FALSE(found_in(here_));
  EXPECT_EQ(put(), "");
  EXPECT_EQ(fields(*found_in(here_)), fields(row));
  EXPECT_FALSE(found_in(there_));
  row.ek_name = sample::bytes(50, 7);
  row.ak_name = sample::bytes(50, 8);
  row.ak_public = sample::bytes(120, 9);
  row.bound_at = sample::time(9);
  EXPECT_EQ(put(), "");
  EXPECT_EQ(fields(*found_in(here_)), fields(row));
}

TEST_P(VerifierConformance, ALedgerIsGivenBackAndReplaced) {
  Ledger row = ledger(1, here_);
  put(row);
  EXPECT_EQ(fields(*ledger_of(here_, 1)), fields(row));
  EXPECT_FALSE(ledger_of(there_, 1));
  EXPECT_FALSE(ledger_of(here_, 2));

  row = ledger(1, here_);
  row.ak_name = sample::bytes(34, 77);
  row.revision = 2;
  row.quote = {.clock = {.clock_ms = 1}, .firmware_version = 2};
  row.boot_id = "another";
  row.null_name.reset();
  row.event_log_sha256.clear();
  row.ima.reset();
  row.overall = Tier::kContraindicated;
  row.result = "{}";
  row.policy.reset();
  row.passes = 0;
  ASSERT_EQ(code_of([&](Transaction& t) { return t.verifier().put_ledger(row, 1); }), "");
  EXPECT_EQ(fields(*ledger_of(here_, 1)), fields(row));
  ASSERT_EQ(code_of([&](Transaction& t) { return t.verifier().remove_ledger(here_, row.registration_id); }), "");
  EXPECT_FALSE(ledger_of(here_, 1));
}

TEST_P(VerifierConformance, ALedgerIsReplacedByWhoReadItLastOnly) {
  Ledger row = ledger(1, here_);
  put(row);
  const auto write = [&](std::int64_t revision, std::int64_t from) {
    row.revision = revision;
    return code_of([&](Transaction& t) { return t.verifier().put_ledger(row, from); });
  };
  EXPECT_EQ(write(1, 0), "attestation.raced");
  EXPECT_EQ(write(3, 2), "attestation.raced");
  EXPECT_EQ(write(2, 1), "");
  EXPECT_EQ(write(2, 1), "attestation.raced");
  EXPECT_EQ(ledger_of(here_, 1)->revision, 2);
}

// What passes again and again needs no entry; whatever is news is not written without one.
TEST_P(VerifierConformance, ALedgerAdvancesWithoutAnEntryWhereItSaysNothingNew) {
  const Ledger row = ledger(1, here_);
  put(row);
  Ledger next = row;
  next.revision = 2;
  next.quote.clock.clock_ms = 5;
  next.nonce_at = sample::time(50);
  next.result = R"({"overall":"affirming","more":1})";
  next.ima->offset = 6000;
  next.passes = 4;
  next.policy->revision = sample::uuid(sample::Kind::kToken, 9);
  const auto advance = [&](const Ledger& to, std::int64_t from) {
    return code_without_entry([&](Transaction& t) { return t.verifier().advance_ledger(to, from); });
  };
  EXPECT_EQ(advance(next, 1), "");
  EXPECT_EQ(fields(*ledger_of(here_, 1)), fields(next));
  EXPECT_EQ(advance(next, 1), "attestation.raced");

  for (const auto change : std::initializer_list<void (*)(Ledger&)>{
           [](Ledger& l) { l.overall = Tier::kContraindicated; }, [](Ledger& l) { l.boot_id = "other"; },
           [](Ledger& l) { l.ak_name = sample::bytes(34, 66); }, [](Ledger& l) { l.policy.reset(); }}) {
    Ledger news = next;
    news.revision = 3;
    change(news);
    EXPECT_EQ(advance(news, 2), "attestation.raced");
    EXPECT_EQ(code_without_entry([&](Transaction& t) { return t.verifier().put_ledger(news, 2); }), "store.unaudited");
  }
  EXPECT_EQ(fields(*ledger_of(here_, 1)), fields(next));
}

// Rows that need no entry do not pay for others.
TEST_P(VerifierConformance, EvidenceNeedsNoEntryAndPaysForNothingElse) {
  EXPECT_EQ(code_without_entry([&](Transaction& t) { return t.verifier().keep_evidence(evidence(1, here_), 3); }), "");
  EXPECT_EQ(code_without_entry([&](Transaction& t) -> Status {
              TRY_STATUS(t.verifier().keep_evidence(evidence(1, here_), 3));
              return t.verifier().put_ledger(ledger(1, here_), 0);
            }),
            "store.unaudited");
  EXPECT_FALSE(ledger_of(here_, 1));
}

TEST_P(VerifierConformance, LedgersAreListedInPagesAndBySilence) {
  std::vector<std::string> expected;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    put(ledger(i, here_));
    expected.push_back(sample::registration(i).text());
  }
  put(ledger(1, there_));
  std::ranges::sort(expected);
  std::vector<std::string> seen;
  for (verifier::Page page{{}, 2};;) {
    const auto part = found([&](Snapshot& s) { return s.verifier().list_ledgers(here_, page); });
    if (part.empty()) break;
    EXPECT_LE(part.size(), 2U);
    for (const auto& info : part)
      seen.push_back(info.registration_id.text());
    page.after = seen.back();
  }
  EXPECT_EQ(seen, expected);
  // Due at 95, 96, … 99: number 5 first.
  const auto due = [&](const verifier::DueKey& after, std::size_t limit) {
    return found([&](Snapshot& s) { return s.verifier().list_due(here_, after, sample::time(98), limit); });
  };
  const auto overdue = due({}, 9);
  ASSERT_EQ(overdue.size(), 3U);
  EXPECT_EQ(overdue[0].registration_id, sample::registration(5));
  EXPECT_EQ(overdue[0].overall, Tier::kAffirming);
  EXPECT_EQ(fields(overdue[0].policy), fields(ledger(5, here_).policy));
  EXPECT_EQ(due({}, 2).size(), 2U);
  const verifier::DueKey first{overdue[0].next_due_at, overdue[0].registration_id.text()};
  ASSERT_EQ(due(first, 9).size(), 2U);
  EXPECT_EQ(due(first, 9)[0].registration_id, overdue[1].registration_id);
  EXPECT_EQ(due({first.due_at, ""}, 9).size(), 3U) << "of one time, by registration ID";
}

TEST_P(VerifierConformance, SilentDevicesAreListedByTheirOwnIntervals) {
  // Of an interval of 1, 2, … microseconds: missed at three of them, in that order, however late they attested.
  for (const std::uint64_t number : {3U, 1U, 2U, 5U, 4U}) {
    auto row = ledger(number, here_);
    row.attested_at = sample::time(number == 1 ? 2 : 0);
    row.next_due_at = row.attested_at + std::chrono::microseconds(number);
    put(row);
  }
  put(ledger(1, there_));
  const auto silent = [&](const verifier::DueKey& after, std::uint64_t before, std::size_t limit) {
    std::vector<std::string> ids;
    for (const auto& info :
         found([&](Snapshot& s) { return s.verifier().list_silent(here_, after, sample::time(before), limit); }))
      ids.push_back(info.registration_id.text());
    return ids;
  };
  const auto ids = [](std::initializer_list<std::uint64_t> numbers) {
    std::vector<std::string> texts;
    for (const auto number : numbers)
      texts.push_back(sample::registration(number).text());
    return texts;
  };
  EXPECT_EQ(silent({}, 5, 9), ids({}));
  EXPECT_EQ(silent({}, 6, 9), ids({1})) << "attested at 2, due at 3";
  EXPECT_EQ(silent({}, 13, 9), ids({1, 2, 3, 4}));
  EXPECT_EQ(silent({}, 99, 2), ids({1, 2}));
  EXPECT_EQ(silent({sample::time(6), sample::registration(2).text()}, 99, 9), ids({3, 4, 5}));
  EXPECT_EQ(silent({sample::time(6), ""}, 99, 9), ids({2, 3, 4, 5}));
}

TEST_P(VerifierConformance, ProvisioningIsToldWhatIsKnownOfADevice) {
  const auto id = sample::registration(1);
  const auto plant = GroupId::parse("plant").value();
  const auto last = [&](const std::optional<GroupId>& group = {}) {
    return found([&](Snapshot& s) { return s.provisioning().find_last_attestation(here_, id, group); });
  };
  EXPECT_FALSE(last());
  ASSERT_TRUE(change([&](Transaction& t) {
    return t.verifier().put_ak(
        {here_, id, sample::bytes(34, 7), sample::bytes(34, 1), sample::bytes(90, 1), sample::time(1)});
  }));
  EXPECT_EQ(last()->ek_name, sample::bytes(34, 7));
  EXPECT_FALSE(last()->judgement) << "bound, and nothing was shown";

  auto row = ledger(1, here_);
  row.overall = Tier::kWarning;
  row.result =
      R"({"layers":{"identity":"affirming","boot":"warning"},"findings":[{"tier":"affirming","code":"a","what":"b"},)"
      R"({"tier":"warning","code":"boot.odd","what":"an odd boot"}]})";
  row.policy.reset();
  put(row);
  auto judgement = *last()->judgement;
  EXPECT_TRUE(judgement.is_of_bound_ak);
  EXPECT_TRUE(judgement.is_by_standing_policy) << "there is none";
  EXPECT_EQ(judgement.overall, provisioning::AttestationTier::kWarning);
  EXPECT_EQ(judgement.findings, "boot warning: an odd boot [boot.odd]");
  EXPECT_EQ(judgement.attested_at, row.attested_at);
  EXPECT_EQ(judgement.next_due_at, row.next_due_at);
  EXPECT_FALSE(found([&](Snapshot& s) { return s.provisioning().find_last_attestation(there_, id, std::nullopt); }))
      << "of this scope";

  const auto policy = [&](std::string target, std::uint64_t revision) {
    ASSERT_TRUE(change([&](Transaction& t) {
      return t.verifier().put_policy({here_,
                                      {target, sample::uuid(sample::Kind::kToken, revision),
                                       verifier::PolicyMode::kEnforce, sample::time(1), sample::time(1)},
                                      "{}"});
    }));
  };
  policy("default", 1);
  EXPECT_FALSE(last()->judgement->is_by_standing_policy) << "one was put since";
  row.policy = AppliedPolicy{"default", sample::uuid(sample::Kind::kToken, 1)};
  row.revision = 2;
  ASSERT_TRUE(change([&](Transaction& t) { return t.verifier().put_ledger(row, 1); }));
  EXPECT_TRUE(last()->judgement->is_by_standing_policy);
  policy("default", 2);
  EXPECT_FALSE(last()->judgement->is_by_standing_policy) << "another revision";
  policy("default", 1);
  policy("group/plant", 1);
  EXPECT_TRUE(last()->judgement->is_by_standing_policy);
  EXPECT_FALSE(last(plant)->judgement->is_by_standing_policy) << "that of its group stands";

  ASSERT_TRUE(change([&](Transaction& t) {
    return t.verifier().put_ak(
        {here_, id, sample::bytes(34, 7), sample::bytes(34, 2), sample::bytes(90, 1), sample::time(1)});
  }));
  EXPECT_FALSE(last()->judgement->is_of_bound_ak);
}

TEST_P(VerifierConformance, AnEventLogIsKeptOnce) {
  const verifier::StoredEventLog row{here_, sample::bytes(32, 1), sample::bytes(2000, 1), sample::time(1)};
  auto again = row;
  again.stored_at = sample::time(9);
  for (const auto& log : {row, again})
    EXPECT_EQ(code_without_entry([&](Transaction& t) { return t.verifier().put_event_log(log); }), "");
  const auto log = found([&](Snapshot& s) { return s.verifier().find_event_log(here_, row.sha256); });
  EXPECT_EQ(log->content, row.content);
  EXPECT_EQ(log->stored_at, row.stored_at);
  EXPECT_TRUE(found([&](Snapshot& s) { return s.verifier().has_event_log(here_, row.sha256); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.verifier().has_event_log(there_, row.sha256); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.verifier().find_event_log(here_, sample::bytes(32, 2)); }));
}

TEST_P(VerifierConformance, ABootLogGoesWhenNobodyRefersToIt) {
  const auto log = [&](std::uint64_t number) {
    return verifier::StoredEventLog{here_, sample::bytes(32, number), sample::bytes(200, number), sample::time(number)};
  };
  Ledger in_use = ledger(1, here_);  // refers to 5
  auto kept = evidence(1, here_);
  kept.event_log_sha256 = log(6).sha256;
  ASSERT_EQ(code_of([&](Transaction& t) -> Status {
              for (const std::uint64_t number : {4U, 5U, 6U, 7U, 8U})
                TRY_STATUS(t.verifier().put_event_log(log(number)));
              TRY_STATUS(t.verifier().put_event_log({there_, log(5).sha256, Bytes{1}, sample::time(1)}));
              TRY_STATUS(t.verifier().put_ledger(in_use, 0));
              return t.verifier().keep_evidence(kept, 9);
            }),
            "");
  const auto unused = [&](const ScopeId& scope, std::size_t limit) {
    return found([&](Snapshot& s) { return s.verifier().list_unused_event_logs(scope, sample::time(8), limit); });
  };
  EXPECT_THAT(unused(here_, 9), ElementsAre(log(4).sha256, log(7).sha256)) << "8 is too young";
  EXPECT_THAT(unused(here_, 1), ElementsAre(log(4).sha256));
  EXPECT_THAT(unused(there_, 9), ElementsAre(log(5).sha256)) << "what another organisation uses is not ours";
  for (const std::uint64_t number : {5U, 6U, 7U}) {
    EXPECT_EQ(code_without_entry(
                  [&](Transaction& t) { return t.verifier().remove_unused_event_log(here_, log(number).sha256); }),
              "");
    EXPECT_EQ(found([&](Snapshot& s) { return s.verifier().has_event_log(here_, log(number).sha256); }), number != 7);
  }
}

TEST_P(VerifierConformance, AnAttesterGoesWithAllThatItShowed) {
  const BoundAk ak{here_, sample::registration(1), sample::bytes(34, 1), sample::bytes(34, 2), sample::bytes(90, 3),
                   {}};
  auto other = ak;
  other.registration_id = sample::registration(2);
  ASSERT_EQ(code_of([&](Transaction& t) -> Status {
              for (const auto& one : {ak, other})
                TRY_STATUS(t.verifier().put_ak(one));
              for (const std::uint64_t number : {1U, 2U}) {
                TRY_STATUS(t.verifier().put_ledger(ledger(number, here_), 0));
                TRY_STATUS(t.verifier().keep_evidence(evidence(number, here_), 9));
              }
              return t.verifier().remove_attester(here_, ak.registration_id);
            }),
            "");
  for (const auto& one : {ak, other}) {
    const bool is_there = one.registration_id == other.registration_id;
    const auto& id = one.registration_id;
    EXPECT_EQ(found([&](Snapshot& s) { return s.verifier().find_ak(here_, id); }).has_value(), is_there);
    EXPECT_EQ(found([&](Snapshot& s) { return s.verifier().find_ledger(here_, id); }).has_value(), is_there);
    EXPECT_EQ(found([&](Snapshot& s) { return s.verifier().list_evidence(here_, id, 99, 9); }).size(),
              is_there ? 1 : 0);
  }
}

TEST_P(VerifierConformance, EvidenceIsNumberedAndTheOldestGoes) {
  auto row = evidence(1, here_);
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(code_of([&](Transaction& t) { return t.verifier().keep_evidence(row, 3); }), "");
  ASSERT_EQ(code_of([&](Transaction& t) { return t.verifier().keep_evidence(evidence(2, here_), 3); }), "");
  const auto numbers = [&](std::int64_t before, std::size_t limit) {
    std::vector<std::int64_t> all;
    for (const auto& info :
         found([&](Snapshot& s) { return s.verifier().list_evidence(here_, row.registration_id, before, limit); }))
      all.push_back(info.number);
    return all;
  };
  EXPECT_THAT(numbers(1000, 9), ElementsAre(5, 4, 3));
  EXPECT_THAT(numbers(5, 1), ElementsAre(4));
  row.number = 4;
  const auto one = found([&](Snapshot& s) { return s.verifier().find_evidence(here_, row.registration_id, 4); });
  EXPECT_EQ(fields(*one), fields(row));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.verifier().find_evidence(here_, row.registration_id, 2); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.verifier().find_evidence(there_, row.registration_id, 4); }));
  EXPECT_TRUE(found([&](Snapshot& s) { return s.verifier().find_evidence(here_, sample::registration(2), 1); }));
}

TEST_P(VerifierConformance, TheNewestEvidenceThatStandsByItselfIsFound) {
  const auto row = evidence(1, here_);
  const auto whole = [&](const ScopeId& scope) {
    return found([&](Snapshot& s) { return s.verifier().find_whole_evidence(scope, row.registration_id); });
  };
  for (const std::uint64_t offset : {12U, 0U, 0U, 7U}) {
    auto next = row;
    next.ima_offset = offset;
    ASSERT_EQ(code_of([&](Transaction& t) { return t.verifier().keep_evidence(next, 4); }), "");
    EXPECT_EQ(whole(here_).has_value(), offset != 12);
  }
  auto expected = row;
  expected.number = 3;
  expected.ima_offset = 0;
  EXPECT_EQ(fields(*whole(here_)), fields(expected));
  EXPECT_FALSE(whole(there_));
}

INSTANTIATE_TEST_SUITE_P(Databases, VerifierConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
