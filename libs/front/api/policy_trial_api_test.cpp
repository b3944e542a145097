// POST …/test: who would fail if a policy stood.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "measured_boot/registers_json.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "verifier/test_attester.h"

namespace warifu::front::api {
namespace {

using test::member;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

const std::string kTrials = "/api/v1/attestation-policies";
// The attester's log has separators and no Secure Boot.
constexpr std::string_view kHolds = R"(["separators"])";
constexpr std::string_view kFails = R"(["secure-boot"])";

std::string demand(std::string_view claims, std::string_view more = {}) {
  return fmt::format(
      R"({{"policy":{{"format":"warifu.evidence-policy.v1","registers":{{"sha256":[0,4,8]}},"boot":{{"claims":{}}}}}{}}})",
      claims, more);
}

class PolicyTrialsTest : public ::testing::Test {
 protected:
  // As a device leaves it whose first evidence was taken.
  void attested(const std::string& registration, verifier::test::Attester& attester) {
    const auto id = RegistrationId::parse(registration).value();
    const Bytes name = to_bytes(attester.ak.ak().identity()->name.bytes());
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.verifier().put_ak({.scope = test::scope_id(),
                                      .registration_id = id,
                                      .ek_name = Bytes(34, 0xE1),
                                      .ak_name = name,
                                      .ak_public = wire::Writer().sized16(attester.ak.tpmt()).take(),
                                      .bound_at = world_.clock.now()}));
      TRY_STATUS(t.verifier().put_ledger({.scope = test::scope_id(),
                                          .registration_id = id,
                                          .ak_name = name,
                                          .revision = 1,
                                          .boot_id = attester.boot_id,
                                          .result = "{}",
                                          .attested_at = world_.clock.now(),
                                          .next_due_at = world_.clock.now(),
                                          .passes = 1},
                                         0));
      return t.audit().record(test::scope_id(), {"device:" + registration, "attestation-key.bind", registration});
    }));
    keep(registration, attester);
  }
  void keep(const std::string& registration, verifier::test::Attester& attester, std::uint64_t ima_offset = 0,
            bool with_log = true) {
    const auto made = attester.submission(Bytes(48, 0x0E), ima_offset);
    verifier::KeptEvidence kept{.scope = test::scope_id(),
                                .registration_id = RegistrationId::parse(registration).value(),
                                .at = world_.clock.now(),
                                .ak_name = to_bytes(attester.ak.ak().identity()->name.bytes()),
                                .nonce = made.nonce,
                                .quote = made.quote,
                                .signature = made.signature,
                                .registers = boost::json::serialize(measured_boot::to_json(made.registers)),
                                .event_log_sha256 = made.event_log_sha256,
                                .ima_offset = ima_offset,
                                .ima = made.ima->content,
                                .result = "{}"};
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      if (with_log)
        TRY_STATUS(
            t.verifier().put_event_log({test::scope_id(), made.event_log_sha256, *made.event_log, world_.clock.now()}));
      TRY_STATUS(t.verifier().keep_evidence(kept, 32));
      return t.audit().record(test::scope_id(), {"device:" + registration, "attestation.record", registration});
    }));
  }
  net::HttpResponse tried(const std::string& target, const std::string& body, const std::string& query = {}) {
    const auto answer = operator_.post(kTrials + target + "/test" + query, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer;
  }

  World world_;
  const test::Operator operator_{world_.server};
  verifier::test::Attester attester_;
};

TEST_F(PolicyTrialsTest, SayWhoWouldFailAndWhy) {
  attested("meter-1", attester_);
  const auto fails = tried("/default", demand(kFails)).body;
  EXPECT_THAT(fails, HasSubstr(R"("verdict":"fails")"));
  EXPECT_THAT(
      fails,
      HasSubstr(
          R"("code":"boot.required","what":"the policy requires \"secure-boot\", and the log does not prove it","where":"secure-boot")"));
  EXPECT_THAT(fails, HasSubstr(R"("standing":null)"));
  EXPECT_THAT(fails, HasSubstr(R"("evidence":{"number":1)"));
  const auto holds = tried("/default", demand(kHolds)).body;
  EXPECT_THAT(holds, HasSubstr(R"("verdict":"better")"));
  EXPECT_THAT(holds, HasSubstr(R"("findings":[])"));
  EXPECT_EQ(operator_.get(kTrials + "/default").status, 404) << "nothing was stored";
}

TEST_F(PolicyTrialsTest, ComparesWithThePolicyThatStands) {
  attested("meter-1", attester_);
  ASSERT_EQ(operator_.put(kTrials + "/default", demand(kFails)).status, 201);
  const auto same = tried("/default", demand(kFails)).body;
  EXPECT_THAT(same, HasSubstr(R"("standing":"default")"));
  EXPECT_THAT(same, HasSubstr(R"("verdict":"same")"));
  EXPECT_THAT(same, HasSubstr(R"("findings":[])")) << "only what is new is told";
  EXPECT_THAT(tried("/default", demand(kHolds)).body, HasSubstr(R"("verdict":"better")"));
}

TEST_F(PolicyTrialsTest, UnderReviewNothingFails) {
  attested("meter-1", attester_);
  ASSERT_EQ(operator_.put(kTrials + "/default", demand(kHolds)).status, 201);
  EXPECT_THAT(tried("/default", demand(kFails)).body, HasSubstr(R"("verdict":"fails")"));
  EXPECT_THAT(tried("/default", demand(kFails, R"(,"mode":"review")")).body, HasSubstr(R"("verdict":"worse")"));
}

TEST_F(PolicyTrialsTest, LeaveOutWhomANearerPolicyIsFor) {
  attested("meter-1", attester_);
  ASSERT_EQ(operator_.put(kTrials + "/enrollments/meter-1", demand(kHolds)).status, 201);
  EXPECT_EQ(member(tried("/default", demand(kFails)), "items"), "[]");
  ASSERT_EQ(
      operator_.post("/api/v1/enrollment-groups", R"({"group_id":"meters","attestation":{"type":"symmetric-key"}})")
          .status,
      201);
  EXPECT_EQ(member(tried("/groups/meters", demand(kFails)), "items"), "[]") << "it is in no group";
  EXPECT_THAT(tried("/enrollments/meter-1", demand(kFails)).body, HasSubstr(R"("verdict":"fails")"));
}

TEST_F(PolicyTrialsTest, TakeTheNewestEvidenceThatStandsByItself) {
  attested("meter-1", attester_);
  attester_.run("/usr/bin/id");
  keep("meter-1", attester_);
  const auto offset = attester_.list.bytes().size();
  attester_.run("/usr/bin/evil");
  keep("meter-1", attester_, offset);
  EXPECT_THAT(tried("/default", demand(kHolds)).body, HasSubstr(R"("evidence":{"number":2)"));
}

TEST_F(PolicyTrialsTest, SayWhyThereIsNothingToJudge) {
  attested("meter-1", attester_);
  verifier::test::Attester other(crypto::KeyKind::kEcP256);
  attested("meter-2", other);
  // Another AK takes its place.
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(t.verifier().put_ak({.scope = test::scope_id(),
                                    .registration_id = RegistrationId::parse("meter-2").value(),
                                    .ek_name = Bytes(34, 0xE1),
                                    .ak_name = Bytes(34, 0xA9),
                                    .ak_public = Bytes(90, 0x23),
                                    .bound_at = world_.clock.now()}));
    return t.audit().record(test::scope_id(), {"device:meter-2", "attestation-key.bind", "meter-2"});
  }));
  verifier::test::Attester third;
  attested("meter-3", third);
  third.event_log.push_back(0);
  keep("meter-3", third, 0, false);
  const auto all = tried("/default", demand(kHolds)).body;
  EXPECT_THAT(all, HasSubstr(R"({"registration_id":"meter-2","standing":null,"gap":"trial.ak-changed"})"));
  EXPECT_THAT(all, HasSubstr(R"({"registration_id":"meter-3","standing":null,"gap":"trial.no-event-log"})"));
}

TEST_F(PolicyTrialsTest, SayWhoWouldFailOnceAWindowHasClosed) {
  attested("meter-1", attester_);
  const Timestamp until = world_.clock.now() + std::chrono::hours(24);
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(std::string_view("/usr/bin/true"))});
  const auto body = [&](std::string_view more) {
    return fmt::format(
        R"({{"policy":{{"format":"warifu.evidence-policy.v1","ima":{{"retiring":[{{"until":"{}","files":)"
        R"([{{"path":"/usr/bin/true","digests":["sha256:{}"]}}]}}]}}}}{}}})",
        to_rfc3339(until), to_hex(digest.bytes()), more);
  };
  const auto at = [](Timestamp time) { return fmt::format(R"(,"at":"{}")", to_rfc3339(time)); };
  ASSERT_EQ(operator_.put(kTrials + "/default", body("")).status, 201);
  EXPECT_THAT(tried("/default", body("")).body, HasSubstr(R"("verdict":"same")"));
  EXPECT_THAT(tried("/default", body(at(until - std::chrono::microseconds(1)))).body, HasSubstr(R"("verdict":"same")"));
  const auto closed = tried("/default", body(at(until))).body;
  EXPECT_THAT(closed, HasSubstr(R"("verdict":"fails")"));
  EXPECT_THAT(closed, HasSubstr(R"("code":"ima.file-retired")"));
  EXPECT_EQ(member(operator_.post(kTrials + "/default/test", body(R"(,"at":"tomorrow")")), "code"), "policy.at");
  EXPECT_EQ(member(operator_.put(kTrials + "/default", body(at(until))), "code"), "json.unknown-field")
      << "a policy that stands judges by the clock";
}

TEST_F(PolicyTrialsTest, DoNotGuessWhetherATpmHasARegisterThatItNeverQuoted) {
  attested("meter-1", attester_);
  for (const std::string registers : {R"({"sha256":[23]})", R"({"sha384":[0]})"})
    EXPECT_THAT(tried("/default",
                      fmt::format(R"({{"policy":{{"format":"warifu.evidence-policy.v1","registers":{}}}}})", registers))
                    .body,
                HasSubstr(R"("gap":"trial.registers-not-quoted")"))
        << registers;
}

TEST_F(PolicyTrialsTest, GoOnFromPageToPage) {
  for (const std::string id : {"meter-1", "meter-2", "meter-3"})
    attested(id, attester_);
  const auto first = tried("/default", demand(kHolds), "?limit=2");
  EXPECT_THAT(first.body, HasSubstr("meter-2"));
  EXPECT_THAT(first.body, Not(HasSubstr("meter-3")));
  EXPECT_EQ(member(first, "next"), "meter-2");
  const auto second = tried("/default", demand(kHolds), "?limit=2&after=meter-2");
  EXPECT_THAT(second.body, HasSubstr("meter-3"));
  EXPECT_EQ(member(second, "next"), "null");
}

TEST_F(PolicyTrialsTest, RefuseWhatIsNoPolicyAndWhoMayNotRead) {
  EXPECT_EQ(member(operator_.post(kTrials + "/default/test", R"({"policy":{"format":"x"}})"), "code"), "policy.format");
  for (const auto& [target, code] :
       {std::pair{"/groups/nobody", "group.unknown"}, std::pair{"/enrollments/nobody", "attestation.unknown"}}) {
    const auto answer = operator_.post(kTrials + target + "/test", demand(kHolds));
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(member(answer, "code"), code);
  }
  const test::Operator writer(world_.server, operators::Permissions::parse({"policy:write"}).value());
  EXPECT_EQ(writer.post(kTrials + "/default/test", demand(kHolds)).status, 403);
}

}  // namespace
}  // namespace warifu::front::api
