#include "agent/application_keys.h"

#include "agent/refusal.h"
#include "agent/runner.h"
#include "agent/test_attestation.h"

namespace warifu::agent {
namespace {

using test::problem;
using test::reply;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

// What a server tells of keys: members of one each.
std::string told(std::string_view keys, std::string_view digest = "AQI=") {
  return std::string(R"({"digest":")").append(digest).append(R"(","keys":[)").append(keys).append("]}");
}

class ApplicationKeysTest : public test::AttestationTest {
 protected:
  ApplicationKeysTest() {
    tell("");
    answer("keys/deliver", reply(200, R"({"name":"mqtt","version":1,"state":"pending","authentication_key":"AQID"})"));
    answer("keys/nonce", reply(200, R"({"nonce":"CQkJ","expires_at":"x"})"));
    answer("keys/acknowledge", reply(200, R"({"name":"mqtt","version":1,"state":"active"})"));
    answer("keys/forget", reply(200, R"({"name":"mqtt","version":1,"state":"revoked"})"));
  }
  void tell(std::string_view keys) { answer("keys", reply(200, told(keys))); }
  std::string fetch() {
    tcb_.calls.clear();
    server_.requests.clear();
    const auto outcome = fetcher_.fetch();
    is_served_ = outcome && *outcome;
    outcome_ = is_served_ ? **outcome : ApplicationKeyFetcher::Outcome{};
    EXPECT_FALSE(server_.connected);
    return outcome ? "" : std::string(outcome.error().code);
  }
  // What the TCB was asked about keys.
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const auto& call : tcb_.calls)
      for (const char* word : {"import ", "acknowledge ", "activate m", "activate d", "forget "})
        if (call.starts_with(word)) out.push_back(call);
    return out;
  }

  ApplicationKeyFetcher fetcher_{outside_, attestor_};
  ApplicationKeyFetcher::Outcome outcome_;
  bool is_served_ = false;
  static constexpr const char* kPending = R"({"name":"mqtt","version":1,"state":"pending"})";
};

TEST_F(ApplicationKeysTest, AreFetchedAcknowledgedAndThenUsed) {
  tell(R"({"name":"mqtt","version":1,"state":"pending","capped_by_pcr":14})");
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(asked(), ElementsAre("import mqtt 1 14", "acknowledge mqtt 1", "activate mqtt 1"));
  EXPECT_EQ(outcome_.acknowledged, 1u);
  const auto first = sent("keys"), delivered = sent("keys/deliver"), done = sent("keys/acknowledge");
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0]->path, "/api/v1/device/0ne1/registrations/meter-1/application-keys");
  EXPECT_EQ(first[0]->authorization, "Bearer token-1");
  EXPECT_EQ(first[0]->body, R"({"held":[]})");
  EXPECT_EQ(delivered.at(0)->body, R"({"name":"mqtt","version":1,"ek_public":"AQI=","srk_public":"AwQ="})");
  EXPECT_EQ(done.at(0)->body, R"({"name":"mqtt","version":1,"nonce":"CQkJ","mac":"Bwc="})");
  // It is here: nothing is to be done, and then not even told.
  tell(R"({"name":"mqtt","version":1,"state":"active","capped_by_pcr":14})");
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(asked(), IsEmpty());
  ASSERT_EQ(fetch(), "");
  EXPECT_EQ(sent("keys").at(0)->body, R"({"held":[{"name":"mqtt","version":1}],"digest":"AQI="})");
  answer("keys", reply(200, R"({"digest":"AQI="})"));
  ASSERT_EQ(fetch(), "");
  EXPECT_TRUE(is_served_);
}

TEST_F(ApplicationKeysTest, StayBesideTheNextVersionUntilThatIsAcknowledged) {
  tcb_.application_keys = {{{"mqtt", 1}, true}};
  tell(R"({"name":"mqtt","version":1,"state":"active"},{"name":"mqtt","version":2,"state":"pending"})");
  answer("keys/acknowledge", problem(503, "store.busy"));
  EXPECT_NE(fetch(), "");
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 1), true), Pair(Pair("mqtt", 2), false)));
  // The server took it, and its answer was lost: it says so now.
  tell(R"({"name":"mqtt","version":2,"state":"active"})");
  answer("keys/acknowledge", reply(200, "{}"));
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 2), true)));
  EXPECT_THAT(sent("keys/deliver"), IsEmpty()) << "it is here already";
}

TEST_F(ApplicationKeysTest, AreForgottenWhenTheyAreRevokedOrGaveWay) {
  tcb_.application_keys = {{{"dlms", 3}, true}, {{"mqtt", 1}, true}};
  tell(R"({"name":"mqtt","version":1,"state":"revoked"})");
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(tcb_.application_keys, IsEmpty());
  EXPECT_EQ(sent("keys/forget").at(0)->body, R"({"name":"mqtt","version":1})");
  EXPECT_EQ(outcome_.forgotten, 1u);
  // Not told, while it is here still: the server hears it from the next try.
  answer("keys/forget", problem(503, "store.busy"));
  EXPECT_NE(fetch(), "");
}

TEST_F(ApplicationKeysTest, AreAskedForAnewWhenTheTpmWasCleared) {
  tcb_.keys_died = true;
  tell(kPending);
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(progress_.text, HasSubstr("was the TPM cleared?"));
  EXPECT_THAT(asked(), ElementsAre("import mqtt 1 0", "acknowledge mqtt 1", "activate mqtt 1"));
  // It says so each time, until one is here, and the agent once.
  tcb_.application_keys.clear();
  tell("");
  progress_.text.clear();
  for (int i = 0; i < 2; ++i) {
    tcb_.keys_died = true;
    ASSERT_EQ(fetch(), "");
  }
  EXPECT_EQ(progress_.text.find("cleared?"), progress_.text.rfind("cleared?"));
}

TEST_F(ApplicationKeysTest, ThatAreCappedInThisBootWaitForTheNext) {
  tell(kPending);
  tcb_.key_error = Error{ErrorKind::kRefused, "tcb.application-key.capped", "PCR 14 was extended"};
  ASSERT_EQ(fetch(), "");
  EXPECT_EQ(outcome_.waiting, 1u);
  EXPECT_THAT(sent("keys/acknowledge"), IsEmpty());
  EXPECT_THAT(progress_.text, HasSubstr("PCR 14 was extended"));
  progress_.text.clear();
  ASSERT_EQ(fetch(), "");
  EXPECT_EQ(outcome_.waiting, 1u);
  EXPECT_THAT(progress_.text, Not(HasSubstr("PCR 14"))) << "it is told once";
  tcb_.key_error.reset();
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(asked(), ElementsAre("acknowledge mqtt 1", "activate mqtt 1"));
}

// The server was restored from a backup, or is another one.
TEST_F(ApplicationKeysTest, OfALaterVersionThanTheServerKnowsGiveWayToItsOwn) {
  tcb_.application_keys = {{{"mqtt", 4}, true}, {{"mqtt", 5}, false}};
  tell(R"({"name":"mqtt","version":3,"state":"pending"})");
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(asked(), ElementsAre("import mqtt 3 0", "acknowledge mqtt 3", "activate mqtt 3", "forget mqtt 4",
                                   "forget mqtt 5"));
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 3), true)));
}

TEST_F(ApplicationKeysTest, OfALaterVersionStayUntilTheServersIsHere) {
  tcb_.application_keys = {{{"mqtt", 4}, true}};
  tell(R"({"name":"mqtt","version":3,"state":"pending"})");
  answer("keys/deliver", problem(403, "application-key.attestation"));
  EXPECT_EQ(fetch(), "application-key.attestation");
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 4), true)));
  // Nor does an import that fails, or an acknowledgement, leave the device without the one in use.
  answer("keys/deliver", reply(200, R"({"authentication_key":"BAUG"})"));
  EXPECT_EQ(fetch(), "tpm.activation");
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 4), true)));
  answer("keys/deliver", reply(200, R"({"authentication_key":"AQID"})"));
  answer("keys/acknowledge", problem(503, "store.busy"));
  EXPECT_NE(fetch(), "");
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 3), false), Pair(Pair("mqtt", 4), true)));
}

TEST_F(ApplicationKeysTest, ThatCannotBeHadKeepNoOtherFromItsEnd) {
  tcb_.application_keys = {{{"dlms", 1}, true}, {{"gone", 7}, true}, {{"mqtt", 1}, true}, {{"mqtt", 2}, false}};
  tell(R"({"name":"dlms","version":2,"state":"pending"},{"name":"mqtt","version":2,"state":"active"},)"
       R"({"name":"old","version":1,"state":"revoked"},{"name":"zigbee","version":1,"state":"revoked"})");
  answer("keys/deliver", reply(200, R"({"authentication_key":"BAUG"})"));
  EXPECT_EQ(fetch(), "tpm.activation") << "of dlms";
  EXPECT_THAT(asked(), ElementsAre("forget old 1", "forget zigbee 1", "import dlms 2 0", "acknowledge mqtt 2",
                                   "activate mqtt 2", "forget gone 7", "forget mqtt 1"));
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("dlms", 1), true), Pair(Pair("mqtt", 2), true)))
      << "the one in use stays";
  // What the server does not hear of one it hears of the other.
  answer("keys/forget", problem(503, "store.busy"));
  EXPECT_EQ(fetch(), "server.trouble");
  EXPECT_THAT(sent("keys/forget"), SizeIs(2));
  // Whoever is told to come later does not ask on.
  answer("keys/forget", problem(429, "limit.requests"));
  EXPECT_EQ(fetch(), "server.throttled");
  EXPECT_THAT(sent("keys/forget"), SizeIs(1));
}

TEST_F(ApplicationKeysTest, AreAskedForNoFurtherWhenTheTcbGivesNone) {
  tell(R"({"name":"dlms","version":2,"state":"pending"},{"name":"mqtt","version":1,"state":"pending"})");
  for (const char* code : {"tcb.unreachable", "tcb.server.unverified", "tpm.lockout"}) {
    tcb_.application_keys.clear();
    tcb_.key_error = Error{ErrorKind::kUnavailable, code, "not now"};
    EXPECT_EQ(fetch(), code);
    EXPECT_THAT(asked(), ElementsAre("import dlms 2 0", "acknowledge dlms 2")) << code;
  }
}

TEST_F(ApplicationKeysTest, ThatAreNotTheServersAreDroppedAndFetchedAgain) {
  tell(kPending);
  answer("keys/acknowledge", problem(403, "application-key.mac"));
  EXPECT_EQ(fetch(), "application-key.mac");
  EXPECT_THAT(tcb_.application_keys, IsEmpty());
  answer("keys/acknowledge", reply(200, "{}"));
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(tcb_.application_keys, SizeIs(1));
}

TEST_F(ApplicationKeysTest, AreNothingForAnOlderServerOrTcb) {
  answer("keys", problem(404, "http.route"));
  ASSERT_EQ(fetch(), "");
  EXPECT_FALSE(is_served_);
  answer("keys", problem(404, "enrollment.unknown"));
  EXPECT_EQ(fetch(), "enrollment.unknown");
  tcb_.knows_application_keys = false;
  ASSERT_EQ(fetch(), "");
  EXPECT_FALSE(is_served_);
  EXPECT_THAT(sent("keys"), IsEmpty());
}

TEST_F(ApplicationKeysTest, AreAskedForWithAnotherTokenOnce) {
  answer_first("keys", {problem(401, "attestation.token-expired")});
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(sent("keys"), SizeIs(2));
  answer("keys", problem(401, "attestation.token-expired"));
  EXPECT_NE(fetch(), "");
  EXPECT_THAT(sent("keys"), SizeIs(2));
}

TEST_F(ApplicationKeysTest, AreNotBelievedWhateverAServerSays) {
  for (const std::string& body : {
           std::string(),
           std::string("[]"),
           std::string("{}"),
           told(kPending, "?"),
           told("1"),
           told("{}"),
           told(R"({"name":"a/b","version":1,"state":"pending"})"),
           told(R"({"name":"","version":1,"state":"pending"})"),
           told(R"({"name":"mqtt","version":0,"state":"pending"})"),
           told(R"({"name":"mqtt","version":4294967296,"state":"pending"})"),
           told(R"({"name":"mqtt","version":1,"state":"superseded"})"),
           told(R"({"name":"mqtt","version":1,"state":"active","capped_by_pcr":24})"),
           told(R"({"name":"mqtt","version":1,"state":"active","capped_by_pcr":0})"),
       }) {
    answer("keys", reply(200, body));
    EXPECT_EQ(fetch(), "server.reply") << body;
  }
  std::string many = kPending;
  for (int i = 0; i < 512; ++i)
    many.append(",").append(kPending);
  answer("keys", reply(200, told(many)));
  EXPECT_EQ(fetch(), "server.reply");
  tell(kPending);
  for (const char* body : {"{}", R"({"authentication_key":""})", R"({"authentication_key":7})"}) {
    answer("keys/deliver", reply(200, body));
    EXPECT_EQ(fetch(), "server.reply") << body;
  }
  // What is wrapped for another TPM the TCB refuses.
  answer("keys/deliver", reply(200, R"({"authentication_key":"BAUG"})"));
  EXPECT_EQ(fetch(), "tpm.activation");
  EXPECT_THAT(tcb_.application_keys, IsEmpty());
}

TEST_F(ApplicationKeysTest, AreKeptByTheService) {
  tcb_.assigned_hub = "hub.example";
  tcb_.device_id = "meter-1";
  tell(kPending);
  waiter_.stop_after = 3;
  Runner(outside_, std::chrono::hours(1), &attestor_, nullptr, &fetcher_).run();
  EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 1), true)));
  EXPECT_THAT(progress_.text, HasSubstr("application keys: 1 new"));
}

TEST_F(ApplicationKeysTest, AreTriedAgainByTheServiceWhenTheyWereRefused) {
  tcb_.assigned_hub = "hub.example";
  tcb_.device_id = "meter-1";
  answer_first("keys", {problem(403, "application-key.ek")});
  tell(kPending);
  waiter_.stop_after = 500;
  Runner(outside_, std::chrono::hours(1), &attestor_, nullptr, &fetcher_).run();
  EXPECT_THAT(progress_.text, HasSubstr("application keys: "));
  EXPECT_THAT(progress_.text, HasSubstr("asks again by itself"));
  EXPECT_THAT(tcb_.application_keys, SizeIs(1));
  EXPECT_THAT(tcb_.calls, Not(Contains("accept")));
}

// The TCB's assignment holds, so nothing else would have it register.
TEST_F(ApplicationKeysTest, AreAskedForAgainAfterARegistrationWhereTheServerKnowsOfNone) {
  for (const char* code : {"application-key.not-registered", "application-key.srk"}) {
    tcb_.application_keys.clear();
    tcb_.assigned_hub = "hub.example";
    tcb_.device_id = "meter-1";
    tcb_.calls.clear();
    answer_first("keys", {problem(403, code)});
    tell(kPending);
    waiter_.waits.clear();
    server_.assigning = 0;
    waiter_.stop_after = 2;  // before the poll, and after all of it
    Runner(outside_, std::chrono::hours(1), &attestor_, nullptr, &fetcher_).run();
    EXPECT_THAT(tcb_.calls, Contains("accept")) << code;
    EXPECT_THAT(tcb_.application_keys, ElementsAre(Pair(Pair("mqtt", 1), true))) << code;
  }
}

}  // namespace
}  // namespace warifu::agent
