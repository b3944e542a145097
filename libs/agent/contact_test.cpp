#include "agent/contact.h"

#include "agent/test_world.h"

namespace warifu::agent {
namespace {

using test::reply;
using test::ScriptedServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ContactTest : public test::AgentTest {
 protected:
  // What comes of it when the server answers one step otherwise.
  Error refusal_when(const std::string& step, const HttpReply& instead) {
    server_.instead[step] = instead;
    const auto registration = contact();
    EXPECT_FALSE(registration);
    EXPECT_EQ(calls("accept"), 0);
    EXPECT_TRUE(files_.files.empty());
    EXPECT_FALSE(server_.connected);
    return registration ? Error{ErrorKind::kInternal, "test", "no error"} : registration.error();
  }
};

std::string dps_error(std::string_view code) {
  return std::string(R"({"errorCode":1,"trackingId":"track-1","message":"because","info":{"stage":"s","code":")")
      .append(code)
      .append("\"}}");
}

TEST_F(ContactTest, ProvisionsADevice) {
  const auto registration = contact();
  ASSERT_TRUE(registration) << to_string(registration.error());
  EXPECT_EQ(registration->assigned_hub, "hub.example");
  EXPECT_EQ(registration->device_id, "meter-1");
  EXPECT_EQ(registration->id_scope, "0ne1");
  EXPECT_EQ(registration->registration_id, "meter-1");
  EXPECT_EQ(tcb_.assigned_hub, "hub.example");
  EXPECT_THAT(progress_.steps, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_FALSE(server_.connected);
}

TEST_F(ContactTest, KeepsWhatItWasAssigned) {
  ASSERT_TRUE(contact());
  std::string note;
  const auto kept = load_registration(files_, note);
  EXPECT_EQ(kept.value()->assigned_hub, "hub.example");
  EXPECT_EQ(note, "");
}

TEST_F(ContactTest, LetsTheTcbJudgeTheServerOwnsTheTpmAndDeliversTheEscrowLast) {
  ASSERT_TRUE(contact());
  EXPECT_THAT(tcb_.calls, ElementsAre("begin", "check", "identity", "ek certificate", "activate", "token", "accept",
                                      "status", "own", "escrow token", "delivered"));
  EXPECT_EQ(server_.requests.back().path, "/api/v1/device/escrow");
  EXPECT_EQ(server_.requests.back().authorization, "escrow-proof");
  EXPECT_EQ(server_.requests.back().body, R"({"package":"Kis="})");
}

TEST_F(ContactTest, SpeaksAsTheSdksDo) {
  tcb_.ek_certificate = {};
  ASSERT_TRUE(contact());
  ASSERT_EQ(server_.requests.size(), 6U);  // certificate, challenge, proof, two polls, escrow
  const auto& challenge = server_.requests[1];
  EXPECT_EQ(challenge.method, "PUT");
  EXPECT_EQ(challenge.path, "/0ne1/registrations/meter-1/register?api-version=2021-06-01");
  EXPECT_EQ(challenge.body, R"({"registrationId":"meter-1","tpm":{"endorsementKey":"AQI=","storageRootKey":"AwQ="}})");
  EXPECT_EQ(challenge.authorization, "");
  EXPECT_EQ(server_.requests[2].path, challenge.path);
  EXPECT_EQ(server_.requests[2].authorization, "proof");
  EXPECT_EQ(server_.requests[3].method, "GET");
  EXPECT_EQ(server_.requests[3].path, "/0ne1/registrations/meter-1/operations/op-1?api-version=2021-06-01");
  EXPECT_EQ(server_.requests[3].authorization, "proof");
}

// A server that knows nothing of it ignores it.
TEST_F(ContactTest, ShowsTheEkCertificateWithTheKeys) {
  tcb_.ek_certificate = {Bytes{0x30, 1}, {Bytes{0x30, 2}}};
  ASSERT_TRUE(contact());
  const std::string shown =
      R"("storageRootKey":"AwQ=","endorsementCertificate":"MAE=","endorsementCertificateChain":["MAI="]}})";
  EXPECT_THAT(server_.requests[1].body, HasSubstr(shown));
  EXPECT_THAT(server_.requests[2].body, HasSubstr(shown)) << "the proof, too";
}

TEST_F(ContactTest, SignsForAnHourOfTheServersClock) {
  ASSERT_TRUE(contact());
  const auto expected = test::kServerTime + std::chrono::hours(1);
  EXPECT_EQ(tcb_.token_expires_at, to_unix_seconds(expected));
}

TEST_F(ContactTest, WaitsAsLongAsTheServerSays) {
  ASSERT_TRUE(contact());
  EXPECT_THAT(waiter_.waits, ElementsAre(std::chrono::seconds(3), std::chrono::seconds(3)));
}

TEST_F(ContactTest, SaysNothingOfTheDeviceToAServerThatTheTcbRefuses) {
  tcb_.server_ok = false;
  EXPECT_EQ(contact().error().code, "tcb.handshake.nonce");
  EXPECT_TRUE(server_.requests.empty());
  EXPECT_EQ(calls("identity"), 0);
}

TEST_F(ContactTest, LeavesAnAssignmentThatHoldsUnlessItIsToldOtherwise) {
  ASSERT_TRUE(contact());
  const auto held = contact(Registering::kIfNeeded);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->assigned_hub, "hub.example");
  EXPECT_EQ(requests("challenge"), 1);
  ASSERT_TRUE(contact(Registering::kAlways));
  EXPECT_EQ(requests("challenge"), 2);
}

TEST_F(ContactTest, ProvisionsAnewWhenTheTpmWasCleared) {
  ASSERT_TRUE(contact());
  tcb_.assigned_hub = tcb_.device_id = "";
  ASSERT_TRUE(contact(Registering::kIfNeeded));
  EXPECT_EQ(requests("challenge"), 2);
  EXPECT_THAT(progress_.text, HasSubstr("was the TPM cleared?"));
}

TEST_F(ContactTest, MendsItsFileWhenAPowerCutTookIt) {
  ASSERT_TRUE(contact());
  const auto before = files_.files;
  files_.files["registration.json"] = to_bytes(as_bytes("{\"version\":1,"));
  ASSERT_TRUE(contact(Registering::kIfNeeded));
  EXPECT_THAT(progress_.text, HasSubstr("cannot be read and counts as absent"));
  std::string note;
  EXPECT_EQ(load_registration(files_, note).value()->device_id, "meter-1");
  EXPECT_EQ(requests("challenge"), 1);
}

TEST_F(ContactTest, WritesNothingWhenNothingChanged) {
  ASSERT_TRUE(contact());
  ASSERT_TRUE(contact(Registering::kIfNeeded));
  EXPECT_EQ(files_.writes, 1);
}

TEST_F(ContactTest, SaysThatItCouldNotKeepTheResult) {
  files_.full = true;
  EXPECT_EQ(contact().error().code, "file.write");
}

// --- Escrow ---

TEST_F(ContactTest, ProvisionsWithAServerThatTakesNoEscrow) {
  server_.instead["escrow-certificate"] = reply(404);
  ASSERT_TRUE(contact());
  EXPECT_EQ(calls("own"), 0);
  EXPECT_EQ(requests("escrow"), 0);
  EXPECT_THAT(progress_.text, HasSubstr("takes no escrow"));
}

TEST_F(ContactTest, ProvisionsWhenTheEscrowCertificateIsNoneAndSetsNoPassword) {
  for (const char* body :
       {"", "{}", R"({"chain":[]})", R"({"chain":["!"]})", R"({"chain":[""]})", R"({"chain":[1]})"}) {
    server_.instead["escrow-certificate"] = reply(200, body);
    EXPECT_TRUE(contact()) << body;
  }
  EXPECT_EQ(calls("own"), 0);
}

TEST_F(ContactTest, ProvisionsWhenTheTcbRefusesTheEscrowCertificate) {
  server_.instead["escrow-certificate"] = reply(200, R"({"chain":["AAAA"]})");
  ASSERT_TRUE(contact());
  EXPECT_FALSE(tcb_.lockout_auth_set);
  EXPECT_THAT(progress_.text, HasSubstr("lockout password was not set"));
}

TEST_F(ContactTest, LeavesATpmAloneUntilTheOrganisationTakesTheDevice) {
  server_.instead["challenge"] = reply(404, dps_error("enrollment.unknown"));
  EXPECT_EQ(contact().error().code, "enrollment.unknown");
  EXPECT_EQ(calls("own"), 0);
  server_.instead.clear();
  ASSERT_TRUE(contact());
  EXPECT_EQ(calls("own"), 1);
}

TEST_F(ContactTest, LeavesATpmAloneThatSomebodyElseOwns) {
  tcb_.lockout_auth_set = true;
  ASSERT_TRUE(contact());
  EXPECT_EQ(calls("own"), 0);
  EXPECT_THAT(progress_.text, HasSubstr("set by somebody else"));
}

TEST_F(ContactTest, DeliversAtTheNextContactWhatWasNotTaken) {
  server_.instead["escrow"] = reply(503);
  ASSERT_TRUE(contact());
  EXPECT_FALSE(tcb_.escrow_delivered);
  EXPECT_THAT(progress_.text, HasSubstr("was not delivered"));
  server_.instead.clear();
  ASSERT_TRUE(contact(Registering::kIfNeeded));
  EXPECT_TRUE(tcb_.escrow_delivered);
  EXPECT_EQ(calls("own"), 1);
  ASSERT_TRUE(contact(Registering::kIfNeeded));
  EXPECT_EQ(requests("escrow"), 2);
}

// --- Refusals and lies ---

struct Case {
  const char* step;
  int status;
  std::string body;
  ErrorKind kind;
  std::string_view code;
};

std::string operation(std::string_view state) {
  return std::string(R"({"operationId":"op-1","status":"assigned","registrationState":)").append(state).append("}");
}

TEST_F(ContactTest, ExplainsEachRefusal) {
  const std::vector<Case> cases = {
      {"challenge", 404, dps_error("enrollment.unknown"), ErrorKind::kRefused, "enrollment.unknown"},
      {"challenge", 404, dps_error("enrollment.scope"), ErrorKind::kRefused, "enrollment.scope"},
      {"challenge", 401, dps_error("enrollment.ek"), ErrorKind::kRefused, "enrollment.ek"},
      {"challenge", 403, dps_error("device.hold"), ErrorKind::kRefused, "device.hold"},
      {"challenge", 429, dps_error("challenge.too_many"), ErrorKind::kThrottled, "server.throttled"},
      {"proof", 401, dps_error("challenge.unknown"), ErrorKind::kUnavailable, "challenge.unknown"},
      {"proof", 401, dps_error("token.expired"), ErrorKind::kRefused, "token.expired"},
      {"proof", 503, dps_error("store.busy"), ErrorKind::kUnavailable, "server.trouble"},
      {"poll", 404, dps_error("operation.unknown"), ErrorKind::kRefused, "server.refused"},
      {"poll", 403, dps_error("device.state"), ErrorKind::kRefused, "device.state"},
  };
  for (const Case& c : cases) {
    server_.instead.clear();
    server_.assigning = 1;
    const Error error = refusal_when(c.step, reply(c.status, c.body));
    EXPECT_EQ(error.kind, c.kind) << c.body;
    EXPECT_EQ(error.code, c.code) << c.body;
    EXPECT_THAT(error.message, HasSubstr("because"));
    EXPECT_THAT(error.message, HasSubstr("track-1"));
  }
}

TEST_F(ContactTest, RefusesAServerThatLies) {
  const std::string good_tpm = R"("tpm":{"authenticationKey":"BAUG"})";
  const std::vector<Case> cases = {
      {"challenge", 200, ScriptedServer::assigned(), {}, {}},  // without a proof
      {"challenge", 202, R"({"operationId":"op-1","status":"assigning"})", {}, {}},
      {"challenge", 401, "", {}, {}},
      {"challenge", 401, "<html>", {}, {}},
      {"challenge", 401, R"({"authenticationKey":null})", {}, {}},
      {"challenge", 401, R"({"authenticationKey":""})", {}, {}},
      {"challenge", 401, R"({"authenticationKey":"A"})", {}, {}},
      {"challenge", 401, R"({"authenticationKey":"AQID","authenticationKey":"AQID"})", {}, {}},
      {"challenge", 401, R"({"authenticationKey":")" + std::string(8000, 'A') + "\"}", {}, {}},
      {"proof", 200, ScriptedServer::assigned(), {}, {}},
      {"proof", 202, R"({"status":"assigning"})", {}, {}},
      {"proof", 202, R"({"operationId":7})", {}, {}},
      {"proof", 202, R"({"operationId":""})", {}, {}},
      {"proof", 202, R"({"operationId":"../../x"})", {}, {}},
      {"proof", 202, R"({"operationId":".."})", {}, {}},
      {"proof", 202, R"({"operationId":"a?b"})", {}, {}},
      {"proof", 202, R"({"operationId":")" + std::string(129, 'a') + "\"}", {}, {}},
      {"poll", 204, "", {}, {}},
      {"poll", 200, "{}", {}, {}},
      {"poll", 200, R"({"status":"done"})", {}, {}},
      {"poll", 200, R"({"status":"assigned"})", {}, {}},
      {"poll", 200, ScriptedServer::assigned("hub.example", "meter-1", "meter-2"), {}, {}},
      {"poll", 200, ScriptedServer::assigned("", "meter-1"), {}, {}},
      {"poll", 200, ScriptedServer::assigned("hub/example", "meter-1"), {}, {}},
      {"poll", 200, ScriptedServer::assigned(std::string(254, 'h'), "meter-1"), {}, {}},
      {"poll", 200, ScriptedServer::assigned("hub.example", "a b"), {}, {}},
      {"poll", 200, operation(R"({"registrationId":"meter-1","assignedHub":"h","deviceId":"d"})"), {}, {}},
      {"poll",
       200,
       operation(R"({"registrationId":"meter-1","assignedHub":1,"deviceId":"d",)" + good_tpm + "}"),
       {},
       {}},
      {"poll", 200, operation(R"({"assignedHub":"h","deviceId":"d",)" + good_tpm + "}"), {}, {}},
      {"poll", 200, operation(R"({"registrationId":"meter-1","assignedHub":"h","deviceId":"d","tpm":{}})"), {}, {}},
  };
  for (const Case& c : cases) {
    server_.instead.clear();
    const Error error = refusal_when(c.step, reply(c.status, c.body));
    EXPECT_EQ(error.kind, ErrorKind::kRefused) << c.step << " " << c.body;
    EXPECT_EQ(error.code, "server.reply") << c.step << " " << c.body << " " << to_string(error);
  }
}

TEST_F(ContactTest, SaysHowARegistrationFailed) {
  const Error error = refusal_when(
      "poll",
      reply(200, R"({"status":"failed","registrationState":{"registrationId":"meter-1","errorMessage":"no hub"}})"));
  EXPECT_EQ(error.code, "server.refused");
  EXPECT_THAT(error.message, HasSubstr("no hub"));
}

TEST_F(ContactTest, StopsWhenTheTpmDoesNotOpenTheChallenge) {
  tcb_.activates = false;
  EXPECT_EQ(contact().error().code, "tpm.activate");
  EXPECT_EQ(requests("proof"), 0);
}

TEST_F(ContactTest, KeepsNothingWhenTheTpmDoesNotOpenTheAssignment) {
  auto wrong = ScriptedServer::assigned();
  wrong.replace(wrong.find("BAUG"), 4, "AAAA");
  server_.instead["poll"] = reply(200, wrong);
  EXPECT_EQ(contact().error().code, "tpm.activate");
  EXPECT_TRUE(files_.files.empty());
}

TEST_F(ContactTest, DoesNotPollForEver) {
  server_.assigning = 1'000'000;
  const auto registration = contact();
  EXPECT_EQ(registration.error().code, "server.throttled");
  EXPECT_LE(waiter_.waits.size(), 160U);
}

TEST_F(ContactTest, DoesNotWaitForAServerThatWantsToKeepItWaiting) {
  auto slow = reply(202, R"({"operationId":"op-1","status":"assigning"})");
  slow.retry_after = std::chrono::hours(10);
  server_.instead["proof"] = slow;
  Contact contact(outside_);
  EXPECT_EQ(contact.make(Registering::kAlways).error().code, "server.throttled");
  EXPECT_TRUE(waiter_.waits.empty());
  EXPECT_EQ(contact.retry_after(), std::chrono::hours(10));
}

TEST_F(ContactTest, DoesNotFloodAServerThatSaysZero) {
  auto now = reply(202, R"({"operationId":"op-1","status":"assigning"})");
  now.retry_after = std::chrono::seconds(0);
  server_.instead["proof"] = now;
  ASSERT_TRUE(contact());
  EXPECT_EQ(waiter_.waits.front(), std::chrono::seconds(1));
}

TEST_F(ContactTest, EndsInTheMiddleWhenItIsStopped) {
  waiter_.stop_after = 1;
  EXPECT_EQ(contact().error().code, "agent.stopped");
  EXPECT_EQ(calls("accept"), 0);
}

TEST_F(ContactTest, ShowsNoProofToAnyone) {
  ASSERT_TRUE(contact());
  EXPECT_THAT(progress_.text, Not(HasSubstr("proof=")));
  for (const auto& [name, content] : files_.files)
    EXPECT_THAT(std::string(as_text(content)), Not(HasSubstr("proof")));
}

}  // namespace
}  // namespace warifu::agent
