#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using test::member;
using ::testing::HasSubstr;
using ::testing::Not;
using verifier::Keeping;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

const std::string kResult =
    R"({"overall":"warning","layers":{"identity":"affirming","hardware":"none","boot":"warning","configuration":"none",)"
    R"("runtime":"none","freshness":"affirming"},"findings":[{"layer":"boot","tier":"warning","code":"eventlog.unlogged",)"
    R"("what":"PCR 11 holds something else","where":"PCR 11","expected":"00","came":"01","allowed_by":""}]})";
const Bytes kLog = {1, 2, 3};

RegistrationId id(const std::string& text = "meter-1") {
  return RegistrationId::parse(text).value();
}
Bytes log_sha256() {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {kLog}).bytes());
}
std::string code(const net::HttpResponse& answer) {
  return answer.status < 300 ? fmt::format("{}", answer.status) : member(answer, "code");
}

class AttestationsForOperators : public ::testing::Test {
 protected:
  verifier::Ledger ledger(const std::string& registration, Timestamp due) {
    return {.scope = test::scope_id(),
            .registration_id = id(registration),
            .ak_name = Bytes(34, 0xA1),
            .revision = 1,
            .quote = {.clock = {.clock_ms = 5000, .reset_count = 7, .restart_count = 1, .safe = true},
                      .firmware_version = 0x2019102300163636},
            .nonce_at = world_.clock.now(),
            .boot_id = "3e0a",
            .null_name = Bytes{0x00, 0x0B, 0x42},
            .event_log_sha256 = log_sha256(),
            .overall = attestation::Tier::kWarning,
            .result = kResult,
            .attested_at = world_.clock.now(),
            .next_due_at = due,
            .passes = 3};
  }
  verifier::KeptEvidence evidence() {
    return {.scope = test::scope_id(),
            .registration_id = id(),
            .at = world_.clock.now(),
            .why = Keeping::kBoot,
            .ak_name = Bytes(34, 0xA1),
            .nonce = Bytes(48, 0x0E),
            .quote = Bytes(100, 0x9A),
            .signature = Bytes(70, 0x51),
            .registers = R"({"sha256":{"0":"00"}})",
            .event_log_sha256 = log_sha256(),
            .ima_offset = 12,
            .ima = Bytes{9, 9},
            .result = kResult};
  }
  // As a device that attested leaves it.
  void attested(const std::string& registration = "meter-1", Timestamp due = Timestamp::max()) {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.verifier().put_ak({.scope = test::scope_id(),
                                      .registration_id = id(registration),
                                      .ek_name = Bytes(34, 0xE1),
                                      .ak_name = Bytes(34, 0xA1),
                                      .ak_public = Bytes(90, 0x23),
                                      .bound_at = world_.clock.now()}));
      TRY_STATUS(t.verifier().put_ledger(ledger(registration, due), 0));
      TRY_STATUS(t.verifier().put_event_log(
          {.scope = test::scope_id(), .sha256 = log_sha256(), .content = kLog, .stored_at = world_.clock.now()}));
      return t.audit().record(test::scope_id(), {"device:" + registration, "attestation.bind", "ak"});
    }));
  }
  void kept(int times) {
    for (int i = 0; i < times; ++i)
      test::must(world_.store->write([&](store::Transaction& t) -> Status {
        TRY_STATUS(t.verifier().keep_evidence(evidence(), 100));
        return t.audit().record(test::scope_id(), {"device:meter-1", "attestation.change", "ledger"});
      }));
  }

  World world_;
  const test::Operator operator_{world_.server};
  const std::string one_ = "/api/v1/registrations/meter-1/attestation";
};

TEST_F(AttestationsForOperators, ShowsTheLastResultWithWhatWasFound) {
  attested();
  const auto shown = operator_.get(one_);
  EXPECT_EQ(member(shown, "overall"), "warning");
  EXPECT_EQ(member(shown, "result.layers.boot"), "warning");
  EXPECT_EQ(member(shown, "result.layers.hardware"), "none");
  EXPECT_THAT(shown.body, HasSubstr("eventlog.unlogged"));
  EXPECT_EQ(member(shown, "quote.reset_count"), "7");
  EXPECT_EQ(member(shown, "quote.firmware_version"), "2019102300163636");
  EXPECT_EQ(member(shown, "null_name"), "000b42");
  EXPECT_EQ(member(shown, "ak.name"), to_hex(Bytes(34, 0xA1)));
  EXPECT_EQ(member(shown, "policy"), "null") << "no policy is a state of its own";
  EXPECT_EQ(member(shown, "is_overdue"), "false");
}

TEST_F(AttestationsForOperators, TellsWhoIsSilent) {
  attested("meter-1", world_.clock.now() - std::chrono::seconds(1));
  attested("meter-2");
  const auto listed = operator_.get("/api/v1/attestations?limit=1");
  EXPECT_THAT(listed.body, HasSubstr(R"("is_overdue":true)"));
  EXPECT_EQ(member(listed, "next"), "meter-1");
  const auto second = operator_.get("/api/v1/attestations?limit=1&after=meter-1");
  EXPECT_THAT(second.body, HasSubstr("meter-2"));
  EXPECT_THAT(second.body, HasSubstr(R"("is_overdue":false)"));
  EXPECT_EQ(member(operator_.get(one_), "is_overdue"), "true");
}

TEST_F(AttestationsForOperators, ShowsKeptEvidenceAsItCame) {
  attested();
  kept(3);
  const auto listed = operator_.get(one_ + "/evidence?limit=2");
  EXPECT_THAT(listed.body, HasSubstr(R"("number":3)"));
  EXPECT_THAT(listed.body, Not(HasSubstr(R"("number":1,)")));
  EXPECT_EQ(member(listed, "next"), "2");
  EXPECT_THAT(operator_.get(one_ + "/evidence?before=2").body, HasSubstr(R"("number":1)"));
  const auto shown = operator_.get(one_ + "/evidence/2");
  EXPECT_EQ(member(shown, "why"), "boot");
  EXPECT_EQ(member(shown, "quote"), to_base64(Bytes(100, 0x9A)));
  EXPECT_EQ(member(shown, "registers.sha256.0"), "00");
  EXPECT_EQ(member(shown, "ima.offset"), "12");
  EXPECT_EQ(member(shown, "ima.content"), to_base64(Bytes{9, 9}));
  EXPECT_EQ(member(operator_.get("/api/v1/event-logs/" + to_hex(log_sha256())), "content"), to_base64(kLog));
}

TEST_F(AttestationsForOperators, SaysWhatIsNotThere) {
  EXPECT_EQ(code(operator_.get(one_)), "attestation.unknown");
  EXPECT_EQ(code(operator_.get(one_ + "/evidence")), "attestation.unknown");
  EXPECT_EQ(code(operator_.get(one_ + "/evidence/1")), "attestation.evidence.unknown");
  EXPECT_EQ(code(operator_.get("/api/v1/event-logs/" + to_hex(log_sha256()))), "attestation.event-log.unknown");
  for (const std::string number : {"0", "-1", "x", "1x", "99999999999999999999"})
    EXPECT_EQ(code(operator_.get(one_ + "/evidence/" + number)), "request.number") << number;
  EXPECT_EQ(code(operator_.get(one_ + "/evidence?before=x")), "request.before");
  EXPECT_EQ(code(operator_.get("/api/v1/event-logs/00")), "attestation.event-log");
}

TEST_F(AttestationsForOperators, ForgetsALedgerForAReason) {
  EXPECT_EQ(code(operator_.post(one_ + "/forget", R"({"reason":"cleared"})")), "attestation.unknown");
  attested();
  kept(1);
  for (const std::string body : {R"({})", R"({"reason":""})", R"({"reason":"a\nb"})", R"({"reason":"a","more":1})"})
    EXPECT_EQ(operator_.post(one_ + "/forget", body).status, 400) << body;
  const test::Operator reader(world_.server, operators::Permissions::parse({"attestation:read"}).value());
  EXPECT_EQ(reader.post(one_ + "/forget", R"({"reason":"cleared"})").status, 403);
  EXPECT_EQ(code(operator_.get(one_)), "200");
  EXPECT_EQ(operator_.post(one_ + "/forget", R"({"reason":"cleared"})").status, 204);
  EXPECT_EQ(code(operator_.get(one_)), "attestation.unknown");
  EXPECT_EQ(code(operator_.get(one_ + "/evidence/1")), "200") << "what was kept stays";
  EXPECT_THAT(world_.stored(), HasSubstr("attestation.forget"));
}

TEST_F(AttestationsForOperators, IsForWhoMayReadAttestationsOfTheScope) {
  attested();
  kept(1);
  const test::Operator other(world_.server, operators::Permissions::parse({"device:read"}).value());
  EXPECT_EQ(other.get(one_).status, 403);
  const auto elsewhere = ScopeId::parse("0ne0000000f").value();
  test::must(world_.server.make_scope(elsewhere));
  const test::Operator stranger(world_.server, operators::Permissions::all(), elsewhere);
  EXPECT_EQ(code(stranger.get(one_)), "attestation.unknown");
  EXPECT_EQ(code(stranger.get(one_ + "/evidence/1")), "attestation.evidence.unknown");
  EXPECT_EQ(code(stranger.get(one_ + "/evidence")), "attestation.unknown");
  EXPECT_EQ(member(stranger.get("/api/v1/attestations"), "items"), "[]");
  EXPECT_EQ(code(stranger.get("/api/v1/event-logs/" + to_hex(log_sha256()))), "attestation.event-log.unknown");
}

}  // namespace
}  // namespace warifu::front::api
