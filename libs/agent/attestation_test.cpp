#include "agent/attestation.h"

#include "agent/attestation_state.h"
#include "agent/refusal.h"
#include "agent/runner.h"
#include "agent/test_attestation.h"

namespace warifu::agent {
namespace {

using test::reply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kBase = "/api/v1/device/0ne1/registrations/meter-1/attestation/";

using test::AttestationTest;
using test::problem;

TEST_F(AttestationTest, ShowsTheServerWhatThisDeviceRuns) {
  const auto attested = attestor_.attest();
  ASSERT_TRUE(attested) << to_string(attested.error());
  ASSERT_TRUE(*attested);
  EXPECT_EQ((*attested)->overall, "affirming");
  EXPECT_EQ((*attested)->layers[1].second, "warning");
  EXPECT_EQ((*attested)->next_after, std::chrono::seconds(60));
  EXPECT_FALSE(server_.connected);
  EXPECT_THAT(tcb_.calls,
              ElementsAre("begin", "check", "identity", "attestation key", "activate attestation", "quote"));
  ASSERT_EQ(server_.requests.size(), 5U);
  EXPECT_EQ(server_.requests[1].method, "POST");
  EXPECT_EQ(server_.requests[1].path, std::string(kBase) + "key");
  EXPECT_EQ(server_.requests[1].body, R"({"ek_public":"AQI=","ak_public":"BQY="})");
  EXPECT_EQ(server_.requests[1].authorization, "");
  EXPECT_EQ(server_.requests[2].body, R"({"session":"opaque-1","secret":"Bwg="})");
  EXPECT_EQ(server_.requests[3].body, R"({"boot_id":"boot-1"})");
  EXPECT_EQ(server_.requests[3].authorization, "Bearer token-1");
  EXPECT_EQ(server_.requests[4].authorization, "Bearer token-1");
  EXPECT_EQ(server_.requests[4].body,
            R"({"nonce":"CQkJ","quote":"Cgs=","signature":"DA0=","registers":{"sha256":{"0":")" + std::string(64, '1') +
                R"(","10":")" + std::string(64, '1') +
                R"("}},"boot_id":"boot-1","userspace_log":"bGluZQo=",)"
                R"("null_primary":{"public":"Dg8=","attest":"EBE=","signature":"EhM=",)"
                R"("recorded":{"name":"000b01","source":"initramfs"}},)"
                R"("event_log":{"sha256":")" +
                sha256_hex(as_bytes("event log")) +
                R"(","content":"ZXZlbnQgbG9n"},"ima":{"offset":0,"content":"AQID"}})");
}

TEST_F(AttestationTest, SaysNothingOfTheDeviceToAServerThatTheTcbRefuses) {
  tcb_.server_ok = false;
  EXPECT_EQ(refusal(), "tcb.handshake.nonce");
  EXPECT_TRUE(server_.requests.empty());
  EXPECT_THAT(tcb_.calls, Not(testing::Contains("attestation key")));
}

TEST_F(AttestationTest, KeepsItsTokenAndAsksForANewOneBeforeItEnds) {
  ASSERT_TRUE(attestor_.attest());
  ASSERT_TRUE(attestor_.attest());
  EXPECT_EQ(sent("key").size(), 1U);
  EXPECT_EQ(sent("evidence").size(), 2U);
  // By the server's clock.
  answer("activation", reply(200, R"({"token":"token-2","expires_at":")" +
                                      to_rfc3339(test::kServerTime + std::chrono::minutes(4)) + R"("})"));
  Attestor fresh(outside_, logs_);
  ASSERT_TRUE(fresh.attest());
  ASSERT_TRUE(fresh.attest());
  EXPECT_EQ(sent("key").size(), 3U);
}

TEST_F(AttestationTest, ActivatesAnewWhenItsTokenIsRefusedAndOnlyOnce) {
  ASSERT_TRUE(attestor_.attest());
  for (const char* step : {"nonce", "evidence"}) {
    const auto before = sent("key").size();
    answer_first(step, {problem(401, "token.expired")});
    ASSERT_TRUE(attestor_.attest()) << step;
    EXPECT_EQ(sent("key").size(), before + 1) << step;
  }
  answer("nonce", problem(401, "token.expired"));
  const auto before = sent("key").size();
  EXPECT_EQ(refusal(), "token.expired");
  EXPECT_EQ(sent("key").size(), before + 1);
}

TEST_F(AttestationTest, SendsTheEventLogOnlyToAServerThatDoesNotKnowIt) {
  answer("nonce", reply(200, R"({"nonce":"CQkJ","registers":{"sha256":[0]},"event_log":{"known_sha256":")" +
                                 sha256_hex(as_bytes("event log")) + R"("},"ima":{}})"));
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(sent("evidence").back()->body, Not(HasSubstr("ZXZlbnQgbG9n")));
  answer_first("evidence", {problem(409, "attestation.event-log-unknown")});
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(sent("evidence").back()->body, HasSubstr("ZXZlbnQgbG9n"));
  EXPECT_EQ(sent("nonce").size(), 2U) << "the nonce was unused";
  answer("evidence", problem(409, "attestation.event-log-unknown"));
  EXPECT_EQ(refusal(), "server.refused") << "not for ever";
}

TEST_F(AttestationTest, AsksForOneFreshNonceWhenItsListOrItsTurnWasAnother) {
  for (const char* code : {"attestation.ima-offset", "attestation.raced"}) {
    const auto before = sent("nonce").size();
    answer_first("nonce", {nonce(0), nonce(77)});
    answer_first("evidence", {problem(409, code)});
    ASSERT_TRUE(attestor_.attest()) << code;
    EXPECT_EQ(sent("nonce").size(), before + 2) << code;
    EXPECT_EQ(logs_.offsets.back(), 77U);
    EXPECT_THAT(sent("evidence").back()->body, HasSubstr(R"("offset":77)"));
  }
  answer("evidence", problem(409, "attestation.raced"));
  const auto before = sent("evidence").size();
  EXPECT_EQ(refusal(), "server.refused");
  EXPECT_EQ(sent("evidence").size(), before + 2);
}

TEST_F(AttestationTest, TellsWhetherAServerHasNoAttestationOrDoesNotKnowTheDevice) {
  answer("key", problem(404, "http.not-found"));
  const auto none = attestor_.attest();
  ASSERT_TRUE(none) << to_string(none.error());
  EXPECT_FALSE(*none);
  answer("key", problem(404, "enrollment.unknown"));
  EXPECT_EQ(refusal(), "enrollment.unknown");
}

TEST_F(AttestationTest, EndsWithTheServersRefusalAtEachStep) {
  for (const char* step : {"key", "activation", "nonce", "evidence"}) {
    server_.first.clear();
    auto busy = problem(429, "limit.rate");
    busy.retry_after = std::chrono::seconds(30);
    answer_first(step, {busy});
    Attestor fresh(outside_, logs_);
    const auto refused = fresh.attest();
    ASSERT_FALSE(refused) << step;
    EXPECT_EQ(refused.error().code, "server.throttled") << step;
    EXPECT_EQ(fresh.retry_after(), std::chrono::seconds(30)) << step;
    answer_first(step, {reply(200, "{}")});
    EXPECT_EQ(Attestor(outside_, logs_).attest().error().code, "server.reply") << step;
    answer_first(step, {reply(200, "no JSON")});
    EXPECT_EQ(Attestor(outside_, logs_).attest().error().code, "server.reply") << step;
  }
}

TEST_F(AttestationTest, SendsNoEvidenceWithoutALogThatIsThere) {
  logs_.unreadable = true;
  EXPECT_EQ(refusal(), "logs.read");
  EXPECT_TRUE(sent("evidence").empty());
  logs_.unreadable = false;
  logs_.event = logs_.ima = logs_.userspace = std::nullopt;
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(sent("evidence").back()->body, Not(HasSubstr("event_log")));
  EXPECT_THAT(sent("evidence").back()->body, Not(HasSubstr(R"("ima":)")));
  EXPECT_THAT(sent("evidence").back()->body, HasSubstr("recorded"));
  logs_.recorded.reset();
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(sent("evidence").back()->body, Not(HasSubstr("recorded")));
}

TEST_F(AttestationTest, BelievesNoValuesThatAreNotThoseOfItsRegisters) {
  tcb_.register_values = Bytes(63, 0x11);
  EXPECT_EQ(refusal(), "tcb.answer");
  tcb_.register_values = Bytes(65, 0x11);
  EXPECT_EQ(refusal(), "tcb.answer");
}

TEST(AttestationMessages, RefuseWhatANonceMustNotBe) {
  for (const char* body :
       {R"({"nonce":"","registers":{}})", R"({"nonce":"AA=="})", R"({"nonce":"AA==","registers":{"md5":[1]}})",
        R"({"nonce":"AA==","registers":{"sha256":[24]}})", R"({"nonce":"AA==","registers":{"sha256":[-1]}})",
        R"({"nonce":"AA==","registers":{"sha256":["1"]}})", R"({"nonce":"AA==","registers":{},"ima":{"offset":-1}})"}) {
    const auto nonce = parse_attestation_nonce(body);
    ASSERT_FALSE(nonce) << body;
    EXPECT_EQ(nonce.error().code, "server.reply") << body;
  }
  const auto nonce = parse_attestation_nonce(R"({"nonce":"AA==","registers":{"sha256":[7,0,7],"sha1":[]}})");
  ASSERT_TRUE(nonce);
  EXPECT_THAT(nonce->registers.sha256, ElementsAre(0, 7));
}

TEST(AttestationMessages, RefuseAResultThatCouldHarmATerminal) {
  for (const char* body :
       {R"({"overall":"a\u001b[2J","layers":{},"next_after_seconds":1})",
        R"({"overall":"affirming","layers":{"x y":"a"},"next_after_seconds":1})",
        R"({"overall":"affirming","layers":{"x":1},"next_after_seconds":1})", R"({"overall":"affirming","layers":{}})"})
    EXPECT_FALSE(parse_attestation_result(body)) << body;
  const auto soon = parse_attestation_result(R"({"overall":"affirming","layers":{},"next_after_seconds":0})");
  ASSERT_TRUE(soon);
  EXPECT_EQ(soon->next_after, std::chrono::seconds(10));
}

TEST(AttestationMessages, RefuseATokenThatIsNoHeader) {
  for (const char* body :
       {R"({"token":"a\r\nb","expires_at":"2033-01-01T00:00:00Z"})",
        R"({"token":"","expires_at":"2033-01-01T00:00:00Z"})", R"({"token":"a","expires_at":"tomorrow"})",
        R"({"token":"a","expires_at":"2033-01-01T00:00:00+09:00"})"})
    EXPECT_FALSE(parse_attestation_token(body)) << body;
  EXPECT_TRUE(parse_attestation_token(R"({"token":"a.b-c","expires_at":"2033-01-01T00:00:00.5Z"})"));
}

// --- run ---

class AttestingRunner : public AttestationTest {
 protected:
  void run(std::size_t waits) {
    tcb_.assigned_hub = "hub.example";
    tcb_.device_id = "meter-1";
    waiter_.stop_after = waits;
    Runner(outside_, std::chrono::hours(1), &attestor_).run();
  }
};

TEST_F(AttestingRunner, AttestsAsOftenAsTheServerAsksAndSaysWhatChanged) {
  waiter_.on_wait = [&] {
    if (waiter_.waits.size() == 3) answer("evidence", result("contraindicated"));
  };
  run(5);
  EXPECT_EQ(sent("evidence").size(), 5U);
  EXPECT_EQ(sent("escrow-certificate").size(), 6U) << "one check within the hour";
  EXPECT_THAT(waiter_.waits, testing::Each(testing::Le(std::chrono::seconds(66))));
  EXPECT_THAT(progress_.text, HasSubstr("judges what this device runs as affirming"));
  EXPECT_THAT(progress_.text, HasSubstr("contraindicated (identity affirming, firmware warning)"));
  const auto kept = load_last_attestation(files_);
  ASSERT_TRUE(kept && *kept);
  EXPECT_EQ((*kept)->result.overall, "contraindicated");
}

TEST_F(AttestingRunner, NotesOnceThatTheServerHasNone) {
  answer("key", problem(404, "http.not-found"));
  run(3);
  const auto said = progress_.text.find("has no attestation");
  ASSERT_NE(said, std::string::npos);
  EXPECT_EQ(progress_.text.find("has no attestation", said + 1), std::string::npos);
}

TEST_F(AttestingRunner, ComesNotBeforeTheServerSaid) {
  auto busy = problem(503, "limit.busy");
  busy.retry_after = std::chrono::seconds(600);
  answer("evidence", busy);
  run(3);
  EXPECT_THAT(waiter_.waits, testing::Each(testing::Ge(std::chrono::seconds(600))));
}

// --- What is kept ---

TEST(LastAttestation, IsReadBackAndOtherwiseAbsent) {
  test::MemoryFiles files;
  const AttestationResult result{"warning", {{"identity", "affirming"}}, "track-1", std::chrono::seconds(60)};
  ASSERT_TRUE(save(files, {result, "2026-01-01T00:00:00Z"}));
  const auto kept = load_last_attestation(files);
  ASSERT_TRUE(kept && *kept);
  EXPECT_TRUE((*kept)->result.is_same_judgement(result));
  EXPECT_EQ((*kept)->since, "2026-01-01T00:00:00Z");
  const Bytes whole = files.files.at("attestation.json");
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    files.files["attestation.json"] = to_bytes(ByteView(whole).first(size));
    EXPECT_FALSE(*load_last_attestation(files)) << size;
  }
}

// A server whose terms ask for an attestation before they assign.
class AttestationFirstTest : public AttestationTest {
 protected:
  static HttpReply waits(std::string_view code, std::string_view message = "it has not attested yet") {
    auto answer = reply(202, std::string(R"({"operationId":"op-1","status":"assigning","info":{"code":")")
                                 .append(code)
                                 .append(R"(","message":")")
                                 .append(message)
                                 .append("\"}}"));
    answer.retry_after = std::chrono::seconds(10);
    return answer;
  }
  Result<Registration> provision() { return Contact(outside_, &attestor_).make(Registering::kAlways); }
};

TEST_F(AttestationFirstTest, AttestsWhileItWaitsAndPollsOn) {
  answer_first("poll", {waits("attestation.missing")});
  server_.assigning = 1;
  const auto provisioned = provision();
  ASSERT_TRUE(provisioned) << to_string(provisioned.error());
  EXPECT_EQ(provisioned->assigned_hub, "hub.example");
  EXPECT_EQ(requests("evidence"), 1);
  EXPECT_THAT(progress_.text, HasSubstr("note: the operator's terms ask for attestation first: it has not attested yet "
                                        "[attestation.missing]\n"));
  EXPECT_THAT(progress_.text, HasSubstr("the server judges what this device runs as affirming"));
  EXPECT_EQ(waiter_.waits[1], std::chrono::seconds(1)) << "there is something new to look at";
  EXPECT_THAT(tcb_.calls, testing::Contains("accept"));
}

TEST_F(AttestationFirstTest, AttestsAgainAsOftenAsTheServerSaysWhenItWasNotEnough) {
  answer("evidence", result("warning"));
  answer("poll", waits("attestation.insufficient", "it attested to too little"));
  EXPECT_EQ(provision().error().code, "server.waits");
  const auto polls = requests("poll");
  EXPECT_GT(polls, 30) << "it polls on";
  // 480 seconds, and 60 between two.
  EXPECT_GE(requests("evidence"), 7);
  EXPECT_LE(requests("evidence"), 8);
  const std::string told = "it attested to too little";
  EXPECT_EQ(progress_.text.find(told), progress_.text.rfind(told)) << "said once";
}

TEST_F(AttestationFirstTest, AttestsSoonWhenWhatItShowedCountsNoMore) {
  answer_first("poll", {waits("attestation.insufficient"), waits("attestation.other-policy", "the policy was changed"),
                        waits("attestation.other-policy", "the policy was changed")});
  server_.assigning = 0;
  ASSERT_TRUE(provision());
  EXPECT_EQ(requests("evidence"), 2) << "not after its 60 seconds only";
}

TEST_F(AttestationFirstTest, ADeviceThatCannotAttestSaysSoAndWaits) {
  logs_.unreadable = true;
  answer_first("poll", {waits("attestation.missing"), waits("attestation.missing")});
  server_.assigning = 0;
  ASSERT_TRUE(provision()) << "an operator may have changed his mind";
  EXPECT_EQ(requests("evidence"), 0);
  EXPECT_THAT(progress_.text, HasSubstr("permission denied"));
}

TEST_F(AttestationFirstTest, ComesNotBeforeTheServerSaidAndSaysOnceWhy) {
  auto busy = problem(429, "limit.rate");
  busy.retry_after = std::chrono::seconds(100);
  for (const char* code : {"attestation.missing", "attestation.insufficient", "attestation.other-policy"}) {
    server_.requests.clear();
    progress_.text.clear();
    int number = 0;
    waiter_.on_wait = [&] {
      busy.request_id = std::to_string(++number);
      answer("nonce", busy);
    };
    answer("poll", waits(code));
    EXPECT_EQ(provision().error().code, "server.waits") << code;
    EXPECT_GT(requests("poll"), 30) << "it polls on";
    // 480 seconds, and 100 between two.
    EXPECT_GE(requests("nonce"), 4) << code;
    EXPECT_LE(requests("nonce"), 5) << code;
    const std::string told = "note: attestation: asking for a nonce: the server answered 429";
    EXPECT_THAT(progress_.text, HasSubstr(told));
    EXPECT_EQ(progress_.text.find(told), progress_.text.rfind(told)) << progress_.text;
  }
}

TEST_F(AttestationFirstTest, AttestsAgainSoonWhenTheServerNamesNoTime) {
  answer_first("nonce", {problem(503, "store.full"), problem(503, "store.full")});
  answer_first("poll", {waits("attestation.missing"), waits("attestation.missing"), waits("attestation.missing")});
  server_.assigning = 0;
  ASSERT_TRUE(provision());
  EXPECT_EQ(requests("nonce"), 3);
  EXPECT_EQ(requests("evidence"), 1);
}

TEST_F(AttestationFirstTest, AttestsNoMoreInThisRegistrationWhenAPersonMustAct) {
  answer("poll", waits("attestation.missing"));
  const auto attests_once = [&](std::string_view step) {
    server_.requests.clear();
    EXPECT_EQ(provision().error().code, "server.waits");
    EXPECT_GT(requests("poll"), 30) << "it polls on";
    EXPECT_EQ(requests(step), 1) << step;
  };
  logs_.too_large = true;
  attests_once("nonce");
  EXPECT_EQ(requests("evidence"), 0);
  EXPECT_THAT(progress_.text, HasSubstr("too many to show at once. A narrower IMA policy"));
  logs_.too_large = false;
  answer("evidence", problem(400, "evidence.form"));
  attests_once("evidence");
  answer("nonce", problem(403, "device.hold"));
  attests_once("nonce");
  answer("key", problem(404, "http.not-found"));
  Attestor without_token(outside_, logs_);
  server_.requests.clear();
  EXPECT_EQ(Contact(outside_, &without_token).make(Registering::kAlways).error().code, "server.waits");
  EXPECT_EQ(requests("key"), 1);
  EXPECT_THAT(progress_.text, HasSubstr("the server does not serve it here"));
}

TEST_F(AttestationFirstTest, SaysThatItsAttestationIsWaitedForOnlyWhileItIs) {
  answer_first("poll", {waits("attestation.missing")});
  answer("poll", waits("approval.open", "an operator has to agree"));
  EXPECT_EQ(provision().error().code, "server.throttled");
}

TEST_F(AttestationFirstTest, DoesNotAttestForWhatAnOperatorDecidesOrAnotherServerSays) {
  answer_first("poll", {waits("approval.open", "an operator has to agree"),
                        reply(202, R"({"operationId":"op-1","status":"assigning","info":"what ever"})")});
  ASSERT_TRUE(provision());
  EXPECT_EQ(requests("key"), 0);
}

}  // namespace
}  // namespace warifu::agent
