#include "agent/refusal.h"

#include <gmock/gmock.h>

#include "agent/messages.h"
#include "agent/registration.h"
#include "sim/deterministic.h"

namespace warifu::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

const sim::SteppingClock kClock(from_micros(1'700'000'000'000'000));

HttpReply refusal(int status, std::string body) {
  return {.status = status, .body = std::move(body), .retry_after = {}, .date = {}, .request_id = "id-of-header"};
}

TEST(RefusalTest, SaysStatusReasonCodeAndTrackingId) {
  const auto error = refusal_of(
      refusal(404, R"({"errorCode":404201,"trackingId":"t-1","message":"who?","info":{"code":"enrollment.unknown"}})"),
      "asking", kClock);
  EXPECT_EQ(error.message, "asking: the server answered 404: who? (its code enrollment.unknown) (tracking id t-1)");
  EXPECT_EQ(exit_code(error.kind), 1);
}

TEST(RefusalTest, ReadsProblemDetailsToo) {
  const auto error =
      refusal_of(refusal(503, R"({"title":"T","detail":"full","code":"store.full","tracking_id":"t-2"})"), "x", kClock);
  EXPECT_THAT(error.message, HasSubstr("full (its code store.full) (tracking id t-2)"));
  EXPECT_EQ(exit_code(error.kind), 3);
}

TEST(RefusalTest, TakesWhatEverTheServerSays) {
  for (const char* body : {"", "{", "[]", "null", R"({"message":7,"info":[],"code":{}})"})
    EXPECT_EQ(refusal_of(refusal(500, body), "x", kClock).message,
              "x: the server answered 500 (tracking id id-of-header)");
}

TEST(RefusalTest, ShowsNoControlCharacterAndNoNovel) {
  const auto error =
      refusal_of(refusal(400, "{\"message\":\"a\\u001b[2Jb\\n" + std::string(5000, 'x') + "\"}"), "x", kClock);
  EXPECT_THAT(error.message, HasSubstr("a?[2Jb?xxx"));
  EXPECT_LT(error.message.size(), 700U);
}

TEST(RefusalTest, SpeaksOfTheClocksOnlyWhenTheyDiffer) {
  auto far = refusal(401, R"({"info":{"code":"token.expired"}})");
  far.date = kClock.now() + std::chrono::minutes(6);
  EXPECT_THAT(refusal_of(far, "x", kClock).message, HasSubstr("clock says 2023-11-14T22:13:20.000000Z, the server's"));
  far.date = kClock.now() - std::chrono::minutes(6);
  EXPECT_THAT(refusal_of(far, "x", kClock).message, HasSubstr("clock says"));
  far.date = kClock.now() - std::chrono::minutes(4);
  EXPECT_THAT(refusal_of(far, "x", kClock).message, Not(HasSubstr("clock says")));
}

TEST(RefusalTest, LeavesToAnOperatorOnlyWhatTheServerSaidOfTheDevice) {
  const auto refused = [](std::string_view code) { return needs_an_operator({ErrorKind::kRefused, code, "M"}); };
  for (const char* code : {"enrollment.unknown", "enrollment.ek", "enrollment.scope", "device.hold", "device.state",
                           "server.refused", "logs.size", "certificate.held", "tpm.ecc"})
    EXPECT_TRUE(refused(code)) << code;
  for (const char* code : {"server.identity", "server.reply", "crypto.path.expired", "tcb.handshake.order",
                           "token.expired", "tcb.server.unverified", "tpm.activate"})
    EXPECT_FALSE(refused(code)) << code;
  EXPECT_FALSE(needs_an_operator({ErrorKind::kUnavailable, "server.trouble", "M"}));
}

TEST(RefusalTest, HasAGistThatIsTheSameEachTime) {
  const auto gist_of = [](const char* id, std::chrono::minutes ahead, int status = 429) {
    auto busy =
        refusal(status, std::string(R"({"detail":"too many","code":"limit.rate","tracking_id":")") + id + "\"}");
    busy.date = kClock.now() + ahead;
    return gist(refusal_of(busy, "x", kClock));
  };
  EXPECT_EQ(gist_of("", std::chrono::minutes(6)), gist_of("", std::chrono::minutes(7)));
  EXPECT_EQ(gist_of("t-1", std::chrono::minutes(6)), gist_of("t-2", std::chrono::minutes(0)));
  EXPECT_NE(gist_of("t-1", std::chrono::minutes(0)), gist_of("t-1", std::chrono::minutes(0), 503));
  EXPECT_EQ(gist({ErrorKind::kUnavailable, "logs.read", "M"}), "M [logs.read]");
}

TEST(AdviceTest, SaysWhatToDoNext) {
  const auto advice = [](std::string_view code) { return explain({ErrorKind::kRefused, code, "M"}); };
  EXPECT_THAT(advice("enrollment.unknown"), HasSubstr("not enrolled"));
  EXPECT_THAT(advice("device.hold"), HasSubstr("operator"));
  EXPECT_THAT(advice("server.identity"), HasSubstr("server.root"));
  // What the TCB says of a server's certificate.
  EXPECT_THAT(advice("crypto.path.expired"), HasSubstr("clock of this device"));
  EXPECT_THAT(advice("crypto.path.not-yet-valid"), HasSubstr("Set the clock"));
  for (const char* code : {"crypto.path.issuer", "crypto.path.name", "crypto.path.purpose", "crypto.path.invalid"})
    EXPECT_THAT(advice(code), HasSubstr("server.root")) << code;
  // With a trust bundle the pinned root counts no more.
  for (const char* code : {"crypto.path.issuer", "tcb.certificate.untrusted"})
    EXPECT_THAT(advice(code), HasSubstr("at its next contact")) << code;
  EXPECT_THAT(advice("tcb.certificate.name"), HasSubstr("server.root"));
  // Where the bundle is remembered.
  EXPECT_THAT(advice("tpm.auth"), HasSubstr("tpm.owner_auth_file"));
  EXPECT_THAT(advice("tpm.nv.type"), HasSubstr("Something else uses that index"));
  EXPECT_THAT(advice("tpm.nv.space"), HasSubstr("no room"));
  EXPECT_THAT(advice("tpm.nv.space"), Not(HasSubstr("tpm.owner_auth_file")));
  EXPECT_THAT(advice("tcb.denied"), HasSubstr("administrator"));
  EXPECT_THAT(advice("tcb.identity.none"), HasSubstr("warifu-agent provision"));
  EXPECT_THAT(advice("tpm.srk.foreign"), HasSubstr("0x81000001"));
  EXPECT_THAT(advice("tpm.srk.auth-policy"), HasSubstr("0x81000001"));
  EXPECT_THAT(advice("tpm.srk.key-bits"), HasSubstr("ECC P-256 or P-384"));
  EXPECT_EQ(advice("no.advice"), "M [no.advice]");
}

TEST(RegistrationTest, IsReadAsItWasWritten) {
  const Registration registration{"hub", "device", "scope", "id", "2026-11-22T00:00:00Z"};
  EXPECT_EQ(parse_registration(to_json(registration)).value(), registration);
}

TEST(RegistrationTest, RefusesEveryTruncationAndWhatItDoesNotKnow) {
  const std::string text = to_json({"hub", "device", "scope", "id", "time"});
  for (std::size_t size = 0; size + 2 < text.size(); ++size)
    EXPECT_FALSE(parse_registration(text.substr(0, size))) << size;
  const auto with = [&](std::string_view from, std::string_view to) {
    auto changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return parse_registration(changed);
  };
  EXPECT_EQ(with("\"version\":1", "\"version\":2").error().code, "state.form");
  EXPECT_FALSE(with("\"version\":1", "\"version\":1,\"x\":1"));
  EXPECT_FALSE(with("\"hub\"", "7"));
  EXPECT_FALSE(with("\"hub\"", "\"" + std::string(5000, 'h') + "\""));
}

}  // namespace
}  // namespace warifu::agent
