#include "verifier/appraiser.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attestation/appraisal/test_waivers.h"
#include "sim/deterministic.h"
#include "verifier/limits.h"
#include "verifier/package_cache.h"
#include "verifier/test_attester.h"

namespace warifu::verifier {
namespace {

using attestation::Layer;
using attestation::Tier;
using testing::Contains;
using testing::IsEmpty;

// Asks only for what the attester has.
constexpr std::string_view kPolicy =
    R"({"format":"warifu.evidence-policy.v1","registers":{"sha256":[0,4,8]},"boot":{"claims":["separators"]},)"
    R"("ima":{"excludes":["/usr/"]}})";

class AppraiserTest : public testing::Test {
 protected:
  AppraiserTest() : nonces_(clock_, entropy_, SecretBytes(Bytes(32, 1))) {
    ak_.ak_public = wire::Writer().sized16(attester_.ak.tpmt()).take();
    ak_.ak_name = to_bytes(attester_.ak.ak().identity()->name.bytes());
    policy_.info.revision = Uuid::v7(clock_.now(), entropy_);
  }

  Bytes nonce() {
    clock_.advance(std::chrono::seconds(60));
    return nonces_.make(key(), ak_.ak_name);
  }
  DeviceKey key() const { return {ak_.scope, ak_.registration_id}; }
  // From where the server wants the list.
  std::uint64_t offset() const {
    return ima_start(ledger_ ? &*ledger_ : nullptr, ak_.ak_name, attester_.boot_id, policy(), clock_.now()).offset;
  }
  const StandingPolicy* policy() const { return has_policy_ ? &policy_ : nullptr; }

  Result<Appraised> judge(const Submission& submission) {
    TRY(const auto checked, nonces_.check(key(), ak_.ak_name, submission.nonce));
    const Bytes* log = submission.event_log ? &*submission.event_log : nullptr;
    return appraise({.ak = ak_,
                     .before = ledger_ ? &*ledger_ : nullptr,
                     .policy = policy(),
                     .submission = submission,
                     .event_log = log,
                     .ek = ek_,
                     .flaws = *flaws_,
                     .allowances = allowances_ ? &*allowances_ : nullptr,
                     .nonce = checked,
                     .now = clock_.now(),
                     .interval = kInterval});
  }
  // Judged and kept.
  Appraised taken(const Submission& submission) {
    auto appraised = judge(submission);
    EXPECT_TRUE(appraised) << to_string(appraised.error());
    ledger_ = appraised->next;
    return *std::move(appraised);
  }
  Appraised round() { return taken(attester_.submission(nonce(), offset())); }
  std::string code_of(const Submission& submission) {
    const auto appraised = judge(submission);
    return appraised ? "" : std::string(appraised.error().code);
  }
  static bool has(const Appraised& appraised, std::string_view code) {
    return appraised.next.result.find(fmt::format(R"("code":"{}")", code)) != std::string::npos;
  }

  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  Nonces nonces_;
  test::Attester attester_;
  BoundAk ak_{ScopeId::parse("0ne1").value(), RegistrationId::parse("meter-1").value(), Bytes(34, 1), {}, {}, {}};
  static StandingPolicy standing(std::string_view document) {
    auto demands = attestation::parse_evidence_policy(document);
    return {{"default", Uuid::from_bytes(Bytes(16, 1)).value(), PolicyMode::kEnforce, {}, {}},
            std::make_shared<const attestation::EvidencePolicy>(*std::move(demands))};
  }
  StandingPolicy policy_ = standing(kPolicy);
  bool has_policy_ = true;
  EkStanding ek_{EkStanding::Worth::kTrusted, "a root"};
  const std::shared_ptr<const endorsement::FlawTable> flaws_ = built_in_flaws();
  std::optional<attestation::Allowances> allowances_;
  std::optional<Ledger> ledger_;
};

TEST_F(AppraiserTest, AffirmsWhatAPolicyAllowsAndThenSaysNothingNew) {
  const auto first = round();
  EXPECT_EQ(first.result.overall(), Tier::kAffirming) << first.next.result;
  EXPECT_EQ(first.keeping, Keeping::kChanged);
  EXPECT_THAT(first.news, Contains("overall"));
  EXPECT_TRUE(first.keeps_event_log);
  EXPECT_EQ(first.next.revision, 1);
  const auto second = round();
  EXPECT_EQ(second.result.overall(), Tier::kAffirming) << second.next.result;
  EXPECT_THAT(second.news, IsEmpty());
  EXPECT_FALSE(second.keeping);
  EXPECT_EQ(second.next.revision, 2);
  EXPECT_EQ(second.next.passes, 2);
}

TEST_F(AppraiserTest, WithoutAPolicyNothingIsGreen) {
  has_policy_ = false;
  const auto first = round();
  EXPECT_EQ(first.result.overall(), Tier::kNone) << first.next.result;
  EXPECT_TRUE(has(first, "policy.none"));
}

TEST_F(AppraiserTest, AnEkWithoutAGoodCertificateAffirmsNoHardware) {
  ek_ = {};
  EXPECT_EQ(round().result.overall(), Tier::kNone);
  ek_ = {EkStanding::Worth::kRefused, "its root is not trusted"};
  EXPECT_EQ(round().result.of(Layer::kHardware), Tier::kWarning);
}

// The AK of the attester says that it is a primary of the endorsement hierarchy.
TEST_F(AppraiserTest, Q10_AFlawOfTheFirmwareIsFoundInEachQuote) {
  const auto name = attester_.ak.ak().identity()->name;
  attester_.fields.signer = attestation::qualified_name(wire::Writer().u32(0x4000000B).take(), name);
  ek_.vendor = endorsement::VendorId::parse("IFX");
  attester_.fields.firmware = 0x0007'003D'0000'0000;  // 7.61, of ROCA
  const auto weak = round();
  EXPECT_EQ(weak.result.of(Layer::kHardware), Tier::kWarning) << weak.next.result;
  EXPECT_NE(weak.next.result.find("CVE-2017-15361"), std::string::npos);
  EXPECT_EQ(weak.next.quote.qualified_signer, attester_.fields.signer);
  policy_ = standing(R"({"format":"warifu.evidence-policy.v1","hardware":{"flaws":"fail"}})");
  EXPECT_EQ(round().result.of(Layer::kHardware), Tier::kContraindicated);
  policy_.info.mode = PolicyMode::kReview;
  EXPECT_EQ(round().result.of(Layer::kHardware), Tier::kWarning);
  policy_.info.mode = PolicyMode::kEnforce;

  // A key of the owner's hierarchy hides it; that is no way out.
  attester_.fields.signer = attestation::qualified_name(wire::Writer().u32(0x40000001).take(), name);
  const auto hidden = round();
  EXPECT_TRUE(has(hidden, "hardware.flaws-not-judged")) << hidden.next.result;
  EXPECT_EQ(hidden.result.of(Layer::kHardware), Tier::kContraindicated);
}

TEST_F(AppraiserTest, APolicyOfHardwareAloneIsNotEmptyUnlessItDemandsNothing) {
  policy_ = standing(R"({"format":"warifu.evidence-policy.v1","hardware":{"ek_certificate":"required"}})");
  EXPECT_TRUE(has(round(), "policy.enforced"));
  policy_ = standing(R"({"format":"warifu.evidence-policy.v1","hardware":{"flaws":"ignore"}})");
  EXPECT_TRUE(has(round(), "policy.empty"));
}

TEST_F(AppraiserTest, L14_AWaiverOfTheMachineIsAppliedAndTold) {
  attester_.values.bank(crypto::HashAlgorithm::kSha256).set(0, crypto::Digest(crypto::HashAlgorithm::kSha256));
  EXPECT_EQ(round().result.of(Layer::kBoot), Tier::kContraindicated);
  const auto quirks = attestation::signed_quirks("", attestation::waiver(0));
  allowances_ = attestation::Allowances(quirks, attestation::kBox, clock_.now());
  const auto waived = round();
  EXPECT_EQ(waived.result.of(Layer::kBoot), Tier::kContraindicated) << "the policy wants the separator";
  EXPECT_TRUE(has(waived, "eventlog.waived")) << waived.next.result;
}

TEST_F(AppraiserTest, UnderReviewAPolicyWeighsAtMostAsAWarning) {
  policy_ = standing(
      R"({"format":"warifu.evidence-policy.v1","registers":{"sha256":[23]},"boot":{"claims":["secure-boot"]}})");
  EXPECT_EQ(round().result.of(Layer::kBoot), Tier::kContraindicated);
  policy_.info.mode = PolicyMode::kReview;
  const auto light = round();
  EXPECT_EQ(light.result.of(Layer::kBoot), Tier::kWarning) << light.next.result;
  EXPECT_TRUE(has(light, "policy.review"));
  // What no policy finds keeps its weight.
  auto forged = attester_.submission(nonce(), offset());
  forged.registers.bank(crypto::HashAlgorithm::kSha256).set(4, crypto::Digest(crypto::HashAlgorithm::kSha256));
  EXPECT_EQ(taken(forged).result.of(Layer::kBoot), Tier::kContraindicated);
}

TEST_F(AppraiserTest, RefusesWhatIsNoQuoteOfThisAkOverThisNonce) {
  const Bytes first = nonce();
  auto submission = attester_.submission(first);
  submission.signature.back() ^= 1;
  EXPECT_EQ(code_of(submission), "crypto.signature");
  submission = test::Attester().submission(first);
  EXPECT_EQ(code_of(submission), "crypto.signature");
  submission = attester_.submission(first);
  submission.nonce = nonce();
  EXPECT_EQ(code_of(submission), "quote.nonce");
  submission = attester_.submission(first);
  submission.quote.resize(submission.quote.size() - 1);
  EXPECT_NE(code_of(submission), "");
}

TEST_F(AppraiserTest, TakesANonceOnceAndNoneThatIsOlder) {
  const Bytes older = nonce();
  const Bytes newer = nonce();
  const auto used = attester_.submission(newer);
  taken(used);
  EXPECT_EQ(code_of(used), "attestation.nonce-used");
  EXPECT_EQ(code_of(attester_.submission(older)), "attestation.nonce-used");
  round();
}

TEST_F(AppraiserTest, GoesOnInTheImaListAndSeesWhatWasCut) {
  round();
  const std::uint64_t before = offset();
  EXPECT_EQ(before, attester_.list.bytes().size());
  attester_.run("/usr/bin/false");
  const auto second = round();
  EXPECT_EQ(second.result.of(Layer::kRuntime), Tier::kAffirming) << second.next.result;
  EXPECT_EQ(second.next.ima->entries, 3U);

  attester_.run("/usr/bin/id");
  auto cut = attester_.submission(nonce(), offset());
  cut.ima->content.clear();
  const auto third = taken(cut);
  EXPECT_EQ(third.result.of(Layer::kRuntime), Tier::kContraindicated);
  EXPECT_TRUE(has(third, "ima.no-match"));
  // Then it is asked for as a whole.
  EXPECT_EQ(offset(), 0U);
  EXPECT_EQ(round().result.overall(), Tier::kAffirming);

  auto elsewhere = attester_.submission(nonce(), offset());
  elsewhere.ima->offset = 7;
  EXPECT_EQ(code_of(elsewhere), "attestation.ima-offset");
}

TEST_F(AppraiserTest, WhatAPolicyRefusedOnceStaysRefusedUntilTheNextBoot) {
  round();
  attester_.run("/tmp/evil");
  EXPECT_EQ(round().result.of(Layer::kRuntime), Tier::kContraindicated);
  attester_.run("/usr/bin/ls");
  const auto later = round();
  EXPECT_TRUE(has(later, "ima.file-unknown")) << later.next.result;
  EXPECT_EQ(later.next.overall, Tier::kContraindicated);
  attester_.boot();
  EXPECT_EQ(round().result.overall(), Tier::kAffirming);
}

TEST_F(AppraiserTest, AnotherPolicyJudgesTheWholeListAnew) {
  round();
  EXPECT_NE(offset(), 0U);
  policy_.info.revision = Uuid::v7(clock_.now(), entropy_);
  EXPECT_EQ(offset(), 0U);
  EXPECT_EQ(round().result.overall(), Tier::kAffirming);
  EXPECT_NE(offset(), 0U);
}

// The same policy with two entries of /usr/bin/: what the attester runs first is good until a time.
class WindowTest : public AppraiserTest {
 protected:
  static constexpr std::chrono::minutes kOpen{10};

  WindowTest() {
    const auto digest = [](std::string_view content) {
      return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(content)}).bytes());
    };
    policy_ = standing(fmt::format(
        R"({{"format":"warifu.evidence-policy.v1","registers":{{"sha256":[0,4,8]}},"boot":{{"claims":["separators"]}},)"
        R"("ima":{{"files":[{{"path":"/usr/bin/id","digests":["sha256:{}"]}}],)"
        R"("retiring":[{{"until":"{}","files":[{{"path":"/usr/bin/true","digests":["sha256:{}"]}}]}}]}}}})",
        digest("/usr/bin/id"), to_rfc3339(until_), digest("/usr/bin/true")));
  }
  void close() { clock_.set(until_); }

  const Timestamp until_ = clock_.now() + kOpen;
};

TEST_F(WindowTest, I14_EntriesOfEarlierAreJudgedAgainOnceAWindowClosed) {
  EXPECT_EQ(round().result.overall(), Tier::kAffirming) << ledger_->result;
  attester_.run("/usr/bin/id");
  EXPECT_NE(offset(), 0U);
  EXPECT_EQ(round().result.overall(), Tier::kAffirming) << ledger_->result;
  close();
  EXPECT_EQ(offset(), 0U) << "the policy is of the same revision, and judges otherwise";
  for (int i = 0; i < 2; ++i) {
    const auto after = round();
    EXPECT_EQ(after.result.of(Layer::kRuntime), Tier::kContraindicated) << after.next.result;
    EXPECT_TRUE(has(after, "ima.file-retired"));
    EXPECT_EQ(after.keeping, Keeping::kBad);
  }
}

TEST_F(WindowTest, I14_WhoUpdatedInTimeGoesOn) {
  attester_.boot("/usr/bin/id");
  EXPECT_EQ(round().result.overall(), Tier::kAffirming) << ledger_->result;
  close();
  EXPECT_EQ(offset(), 0U);
  EXPECT_EQ(round().result.overall(), Tier::kAffirming) << ledger_->result;
  EXPECT_NE(offset(), 0U) << "once is enough";
}

TEST_F(WindowTest, I14_AWindowThatClosesBetweenNonceAndEvidenceLetsNothingSlip) {
  round();
  clock_.set(until_ - std::chrono::seconds(90));
  const auto submission = attester_.submission(nonce(), offset());
  ASSERT_NE(submission.ima->offset, 0U);
  close();
  EXPECT_EQ(code_of(submission), "attestation.ima-offset") << "the rest was judged while the window was open";
  // The agent asks for another nonce, and is told to begin at 0.
  EXPECT_EQ(round().result.of(Layer::kRuntime), Tier::kContraindicated);

  // A whole list is judged by the time at which it came, whenever its nonce was made.
  ledger_.reset();
  clock_.set(until_ - std::chrono::minutes(5));
  round();
  clock_.set(until_ - std::chrono::seconds(90));
  const auto whole = attester_.submission(nonce(), 0);
  close();
  EXPECT_EQ(taken(whole).result.of(Layer::kRuntime), Tier::kContraindicated);
}

TEST_F(WindowTest, I14_AClockThatGoesBackwardsHasTheListJudgedAnew) {
  attester_.boot("/usr/bin/id");
  close();
  round();
  EXPECT_NE(offset(), 0U);
  clock_.set(until_ - std::chrono::minutes(5));
  EXPECT_EQ(offset(), 0U);
}

TEST_F(AppraiserTest, ABootBeginsAnewAndIsTold) {
  round();
  attester_.boot();
  EXPECT_EQ(offset(), 0U);
  const auto after = round();
  EXPECT_EQ(after.result.overall(), Tier::kAffirming) << after.next.result;
  EXPECT_THAT(after.news, Contains("boot"));
  EXPECT_EQ(after.keeping, Keeping::kBoot);
}

TEST_F(AppraiserTest, ATpmThatWasResetUnderTheSystemIsSeenUntilTheNextBoot) {
  round();
  const std::string boot_id = attester_.boot_id;
  // The attacker replays what was measured into the fresh registers.
  attester_.boot();
  attester_.boot_id = boot_id;
  for (int i = 0; i < 2; ++i) {
    const auto after = round();
    EXPECT_EQ(after.result.of(Layer::kFreshness), Tier::kContraindicated) << after.next.result;
    EXPECT_TRUE(has(after, "attestation.tpm-reset"));
    EXPECT_EQ(after.news.empty(), i == 1) << "told once";
    EXPECT_EQ(after.keeping, Keeping::kBad);
  }
  attester_.boot();
  EXPECT_EQ(round().result.overall(), Tier::kAffirming);
}

TEST_F(AppraiserTest, AnotherNullPrimaryInOneBootIsAReset) {
  round();
  attester_.null_unique ^= 0x80;
  EXPECT_TRUE(has(round(), "attestation.tpm-reset"));
  EXPECT_TRUE(has(round(), "attestation.tpm-reset"));
}

TEST_F(AppraiserTest, AResetBeforeTheFirstAttestationShowsInWhatTheBootRecorded) {
  for (const bool has_ledger : {false, true}) {
    attester_.recorded.reset();
    if (has_ledger) round();
    attester_.boot();
    attester_.record_null_name(attestation::NameRecorder::kKernel);
    attester_.null_unique ^= 0x80;
    for (int i = 0; i < 3; ++i) {
      // Whoever took over the system says nothing more of it: the ledger has what the boot began with.
      if (i == 2) attester_.recorded.reset();
      const auto after = round();
      EXPECT_EQ(after.result.of(Layer::kFreshness), Tier::kContraindicated) << after.next.result;
      EXPECT_TRUE(has(after, "attestation.tpm-reset"));
      EXPECT_EQ(testing::Value(after.news, Contains("attestation.tpm-reset")), i == 0) << "told once";
    }
    attester_.boot();
    attester_.record_null_name(attestation::NameRecorder::kInitramfs);
    const auto next = round();
    EXPECT_EQ(next.result.overall(), Tier::kAffirming) << next.next.result;
    EXPECT_TRUE(has(next, "attestation.null-name"));
    EXPECT_EQ(round().result.overall(), Tier::kAffirming);
  }
}

TEST_F(AppraiserTest, ANameThatNoBootRecordedHasNoWeight) {
  const auto first = round();
  EXPECT_TRUE(has(first, "attestation.null-name-absent"));
  EXPECT_EQ(first.result.overall(), Tier::kAffirming) << first.next.result;
}

// It was recorded, and so the reset came after it.
TEST_F(AppraiserTest, AResetAfterTheFirstAttestationIsToldOnce) {
  attester_.record_null_name(attestation::NameRecorder::kKernel);
  EXPECT_EQ(round().result.overall(), Tier::kAffirming);
  attester_.null_unique ^= 0x80;
  const auto after = round();
  EXPECT_EQ(std::ranges::count(after.result.findings(), "attestation.tpm-reset", &attestation::Finding::code), 1);
}

TEST_F(AppraiserTest, ANullPrimaryMustBeOneAndBelongToTheQuote) {
  const auto code = [&](const std::function<void(Submission&)>& spoil) {
    auto submission = attester_.submission(nonce(), offset());
    spoil(submission);
    return has(taken(submission), "attestation.null-primary");
  };
  const Bytes other(32, 9);
  EXPECT_FALSE(code([](Submission&) {}));
  EXPECT_TRUE(code([&](Submission& s) { s.null_primary = attester_.null_primary(other); })) << "another nonce";
  EXPECT_TRUE(code([&](Submission& s) { s.null_primary->signature.back() ^= 1; }));
  EXPECT_TRUE(code([&](Submission& s) { s.null_primary->public_area.back() ^= 1; }));
  EXPECT_TRUE(code([&](Submission& s) { s.null_primary->attest = s.quote; })) << "a quote is no certificate";
  EXPECT_TRUE(code([&](Submission& s) {
    const Bytes extra = to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {s.nonce}).bytes());
    s.null_primary = attester_.null_primary(extra, 0x4000000b);
  })) << "of another hierarchy";
  auto without = attester_.submission(nonce(), offset());
  without.null_primary.reset();
  EXPECT_TRUE(has(taken(without), "attestation.null-primary-absent"));
}

TEST_F(AppraiserTest, CountersThatFallAreAnAnomalyAndTheLedgerKeepsTheHigherOnes) {
  round();
  const auto before = ledger_->quote;
  for (int i = 0; i < 2; ++i) {
    attester_.fields.clock.clock_ms = 0;
    const auto after = round();
    EXPECT_EQ(after.result.of(Layer::kFreshness), Tier::kContraindicated) << after.next.result;
    EXPECT_EQ(after.next.quote, before);
  }
}

TEST_F(AppraiserTest, AnotherAkBeginsANewLedgerAndIsToldOnce) {
  round();
  attester_ = test::Attester();
  ak_.ak_public = wire::Writer().sized16(attester_.ak.tpmt()).take();
  ak_.ak_name = to_bytes(attester_.ak.ak().identity()->name.bytes());
  const auto first = round();
  EXPECT_TRUE(has(first, "attestation.ak-changed"));
  EXPECT_EQ(first.next.revision, 2);
  EXPECT_FALSE(has(round(), "attestation.ak-changed"));
}

TEST_F(AppraiserTest, AnEventLogMustBeKnownAndExplainTheRegisters) {
  auto unknown = attester_.submission(nonce(), 0, false);
  EXPECT_EQ(code_of(unknown), "attestation.event-log-unknown");
  auto other = attester_.submission(nonce(), 0);
  other.event_log->at(other.event_log->size() - 11) ^= 1;  // of the last digest, before the size and "kernel"
  const auto judged = taken(other);
  EXPECT_EQ(judged.result.of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_FALSE(judged.keeps_event_log);
  auto none = attester_.submission(nonce(), offset());
  none.event_log_sha256.clear();
  none.event_log.reset();
  EXPECT_EQ(taken(none).result.of(Layer::kBoot), Tier::kContraindicated) << "the policy asks for one";
}

}  // namespace
}  // namespace warifu::verifier
