#include "agent/certificate.h"

#include <map>

#include "agent/certificate_fallback.h"
#include "agent/refusal.h"
#include "agent/runner.h"
#include "agent/test_attestation.h"
#include "base/time_text.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "crypto/system_entropy.h"

namespace warifu::agent {
namespace {

using test::problem;
using test::reply;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr auto kLDevId = CertificateKind::kLDevId;
constexpr auto kIDevId = CertificateKind::kIDevId;
constexpr auto kIfDue = Certifier::When::kIfDue;
constexpr auto kAlways = Certifier::When::kAlways;

// A certificate of anybody's: the TCB, who judges it, is scripted.
Bytes certificate(Timestamp not_after) {
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  crypto::SystemEntropy entropy;
  return crypto::issue_certificate(
             {.common_name = "meter-1", .not_before = test::kStart - 24h, .not_after = not_after, .client_auth = true},
             key.public_key(), nullptr, key, entropy)
      ->to_der();
}

std::string serial_of(const Bytes& der) {
  return to_hex(crypto::Certificate::from_der(der)->serial());
}

class CertificateTest : public test::AttestationTest {
 protected:
  CertificateTest() {
    server_.identity = &identity_;
    answer("certificate nonce", reply(200, R"({"nonce":"CQkJ","expires_at":"2033-01-01T00:00:00Z"})"));
    answer("certificate", issued(first_));
    answer("self", standing("active"));
  }
  static std::string fields(const std::string& serial, std::string_view state) {
    return R"("serial":")" + serial + R"(","kind":"ldevid","state":")" + std::string(state) + R"(","not_after":")" +
           to_rfc3339(kEnd) + R"(","renew_after":")" + to_rfc3339(kRenewal) + "\"";
  }
  static HttpReply issued(const Bytes& der, std::string_view state = "active") {
    return reply(
        200, "{" + fields(serial_of(der), state) + R"(,"certificate":")" + to_base64(der) + R"(","chain":["MAE="]})");
  }
  static HttpReply standing(std::string_view state) {
    return reply(200, "{" + fields("01", state) + R"(,"registration_id":"meter-1"})");
  }
  Certifier certifier() { return {through_, attestor_, identity_}; }
  // Its code, or "".
  std::string certify(CertificateKind kind = kLDevId, Certifier::When when = kIfDue) {
    const auto outcome = certifier().certify(kind, when);
    if (outcome) {
      is_served_ = outcome->has_value();
      is_new_ = is_served_ && (*outcome)->is_new;
      if (is_served_) standing_ = (*outcome)->standing;
    }
    return outcome ? "" : std::string(outcome.error().code);
  }
  // What the TCB holds from before.
  void hold(const Bytes& der) {
    tcb_.ldevid.chain = {der, {0x30, 1}};
    tcb_.ldevid.renew_after = to_unix_seconds(kRenewal);
    tcb_.ldevid.now = to_unix_seconds(test::kStart);
  }
  int tries() const { return requests("certificate"); }

  static inline const Timestamp kEnd = test::kStart + 720h;
  static inline const Timestamp kRenewal = test::kStart + 360h;
  const Bytes first_ = certificate(kEnd), second_ = certificate(kEnd);
  TcbClientIdentity identity_{tcb_, progress_};
  CertificateFallback transport_{server_, identity_, progress_};
  Outside through_{transport_, check_, tcb_, files_, clock_, entropy_, waiter_, progress_};
  Attestor attestor_{through_, logs_};
  bool is_served_ = false, is_new_ = false;
  CertificateStanding standing_;
};

TEST_F(CertificateTest, IsAskedForWithAProofOfItsKey) {
  ASSERT_EQ(certify(), "");
  EXPECT_TRUE(is_new_);
  EXPECT_EQ(standing_.serial, serial_of(first_));
  EXPECT_EQ(standing_.not_after, kEnd);
  EXPECT_EQ(tcb_.ldevid.chain, (std::vector<Bytes>{first_, {0x30, 1}}));
  EXPECT_EQ(tcb_.ldevid.renew_after, to_unix_seconds(kRenewal));
  EXPECT_FALSE(server_.connected);
  EXPECT_EQ(requests("escrow-certificate"), 1);
  EXPECT_EQ(calls("identity"), 1);
  const auto nonce = sent("certificate nonce"), asked = sent("certificate");
  ASSERT_THAT(nonce, SizeIs(1));
  EXPECT_EQ(nonce[0]->path, "/api/v1/device/0ne1/registrations/meter-1/certificates/nonce");
  EXPECT_EQ(nonce[0]->authorization, "Bearer token-1");
  EXPECT_EQ(nonce[0]->body, "{}");
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0]->method, "POST");
  EXPECT_EQ(asked[0]->authorization, "Bearer token-1");
  EXPECT_EQ(asked[0]->body,
            R"({"kind":"ldevid","nonce":"CQkJ","public":"AQ==","attest":"FQ==","signature":"Fg==","issue":true})");
}

TEST_F(CertificateTest, IsAskedForAnIDevIdWithTheProofOfItsCreation) {
  ASSERT_EQ(certify(kIDevId), "");
  EXPECT_EQ(sent("certificate")[0]->body, R"({"kind":"idevid","nonce":"CQkJ","public":"Hg==","attest":"Hw==",)"
                                          R"("signature":"IA==","creation_data":"IQ==","issue":true})");
  EXPECT_THAT(tcb_.idevid.chain, SizeIs(2));
  EXPECT_THAT(tcb_.ldevid.chain, IsEmpty());
  ASSERT_EQ(certify(kIDevId), "");
  EXPECT_FALSE(is_new_) << "it is for life";
}

TEST_F(CertificateTest, IsShownFromTheNextConnectionOn) {
  ASSERT_EQ(certify(), "");
  EXPECT_THAT(server_.shown, IsEmpty());
  ASSERT_EQ(certify(), "");
  EXPECT_FALSE(is_new_);
  EXPECT_EQ(standing_.state, "active");
  EXPECT_EQ(server_.shown, first_);
  EXPECT_EQ(tries(), 1);
  EXPECT_EQ(requests("self"), 1);
}

TEST_F(CertificateTest, IsRenewedFromTheTimeThatTheServerNamed) {
  hold(first_);
  answer("certificate", issued(second_));
  tcb_.ldevid.now = to_unix_seconds(kRenewal) - 1;
  ASSERT_EQ(certify(), "");
  EXPECT_EQ(tries(), 0);
  tcb_.ldevid.now = to_unix_seconds(kRenewal);
  ASSERT_EQ(certify(), "");
  EXPECT_TRUE(is_new_);
  EXPECT_EQ(tcb_.ldevid.previous.front(), first_);
  EXPECT_EQ(tcb_.ldevid.chain.front(), second_);
}

// Its own clock stands; the server says how late it is.
TEST_F(CertificateTest, IsRenewedByTheServersClockToo) {
  hold(first_);
  tcb_.ldevid.renew_after = to_unix_seconds(test::kServerTime);
  ASSERT_EQ(certify(), "");
  EXPECT_EQ(tries(), 1);
}

TEST_F(CertificateTest, IsRenewedAtOnceWhenThatIsWanted) {
  hold(first_);
  ASSERT_EQ(certify(kLDevId, kAlways), "");
  EXPECT_EQ(tries(), 1);
}

TEST_F(CertificateTest, IsRenewedAfterItsEndWithoutBeingShown) {
  hold(certificate(test::kStart - 1h));
  tcb_.ldevid.now = to_unix_seconds(test::kStart);
  tcb_.ldevid.renew_after = to_unix_seconds(test::kStart - 12h);
  ASSERT_EQ(certify(), "");
  EXPECT_THAT(server_.shown, IsEmpty());
  EXPECT_EQ(tcb_.ldevid.chain.front(), first_);
}

TEST_F(CertificateTest, IsAskedForAnewWhenItsKeyDied) {
  tcb_.ldevid.died = true;
  ASSERT_EQ(certify(), "");
  EXPECT_THAT(progress_.text, HasSubstr("the LDevID is gone"));
  EXPECT_EQ(tries(), 1);
}

// --- What the server does not take ---

TEST_F(CertificateTest, IsReplacedWhenTheServerTakesItNoLonger) {
  for (const char* code : {"certificate.revoked", "certificate.expired", "certificate.unknown"}) {
    hold(first_);
    tcb_.ldevid.previous.clear();
    answer("certificate", issued(second_));
    server_.refuse_certificate = [&](const Bytes& shown) { return shown == first_ ? code : ""; };
    const int before = tries();
    ASSERT_EQ(certify(), "") << code;
    EXPECT_EQ(tries(), before + 1) << code;
    EXPECT_EQ(tcb_.ldevid.chain.front(), second_) << code;
    EXPECT_THAT(progress_.text, HasSubstr(code));
  }
}

TEST_F(CertificateTest, StaysWhenItIsOnlyHeldOrNotYetActive) {
  hold(first_);
  for (const char* state : {"held", "inactive"}) {
    server_.refuse_certificate = [&](const Bytes&) { return "certificate." + std::string(state); };
    ASSERT_EQ(certify(), "") << state;
    EXPECT_FALSE(is_new_);
    EXPECT_EQ(tries(), 0) << state;
  }
}

TEST_F(CertificateTest, LetsADeviceAttestWithoutItWhenItIsRefused) {
  hold(first_);
  server_.refuse_certificate = [](const Bytes&) { return "certificate.revoked"; };
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(progress_.text, HasSubstr("the server does not take this device's certificate: because "
                                        "[certificate.revoked]"));
  EXPECT_EQ(requests("evidence"), 1);
  EXPECT_THAT(server_.shown, IsEmpty());
  // Said once, and not tried on each connection.
  const auto said = progress_.text.size();
  ASSERT_TRUE(attestor_.attest());
  EXPECT_EQ(progress_.text.size(), said);
}

TEST_F(CertificateTest, IsNotLeftAwayForAnythingElse) {
  hold(first_);
  server_.refuse_certificate = [](const Bytes&) { return "certificate.revoked"; };
  for (const char* path : {"/api/v1/device/self", "/api/v1/device/escrow", "/api/v1/device/x/messages",
                           "/0ne1/registrations/meter-1/certificates"}) {
    identity_.present();
    transport_.close();
    const auto before = server_.requests.size();
    const auto answered = transport_.send({.method = "GET", .path = path});
    ASSERT_TRUE(answered);
    EXPECT_EQ(server_.requests.size(), before + 1) << path;
  }
}

TEST_F(CertificateTest, GivesWayToTheOneBeforeWhileTheServerDoesNotKnowIt) {
  hold(second_);
  tcb_.ldevid.previous = {first_, {0x30, 1}};
  server_.refuse_certificate = [&](const Bytes& shown) { return shown == second_ ? "certificate.inactive" : ""; };
  ASSERT_TRUE(attestor_.attest());
  EXPECT_EQ(server_.shown, first_);
  // Neither is taken: then none is shown.
  server_.refuse_certificate = [&](const Bytes&) { return "certificate.unknown"; };
  identity_.present();
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(server_.shown, IsEmpty());
}

// A code like this on a connection without a certificate is about something else.
TEST_F(CertificateTest, IsNotToBlameWhenNoneWasShown) {
  answer("nonce", problem(403, "certificate.revoked"));
  const auto before = progress_.text;
  EXPECT_FALSE(attestor_.attest());
  EXPECT_EQ(requests("nonce"), 1);
  EXPECT_EQ(progress_.text, before);
}

TEST_F(CertificateTest, IsLeftOutWithAnOlderTcb) {
  tcb_.knows_certificates = false;
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(server_.shown, IsEmpty());
}

// What is wrong with its certificate keeps no device from its server.
TEST_F(CertificateTest, IsLeftOutWhenTheTcbCannotSayOrSign) {
  hold(first_);
  tcb_.show_error = Error{ErrorKind::kUnavailable, "file.read", "the disk is broken"};
  ASSERT_TRUE(attestor_.attest());
  EXPECT_THAT(progress_.text, HasSubstr("comes without its certificate: the disk is broken [file.read]"));
  const auto said = progress_.text.size();
  ASSERT_TRUE(attestor_.attest());
  EXPECT_EQ(progress_.text.size(), said) << "said once";
  tcb_.show_error.reset();
  tcb_.sign_error = Error{ErrorKind::kRefused, "tpm.key.dead", "the TPM was cleared"};
  EXPECT_FALSE(attestor_.attest()) << "that handshake cannot be finished";
  ASSERT_TRUE(attestor_.attest()) << "and the next one goes without";
  EXPECT_THAT(server_.shown, IsEmpty());
  EXPECT_THAT(progress_.text, HasSubstr("comes without its certificate: the TPM was cleared"));
  // Who lost a race tries again with it.
  identity_.present();
  tcb_.sign_error = Error{ErrorKind::kRefused, "tcb.nonce", "another check was begun"};
  EXPECT_FALSE(attestor_.attest());
  tcb_.sign_error.reset();
  ASSERT_TRUE(attestor_.attest());
  EXPECT_EQ(server_.shown, first_);
}

// --- Servers that say no ---

TEST_F(CertificateTest, IsNotIssuedByEveryServer) {
  answer("certificate nonce", problem(404, "route.unknown"));
  EXPECT_EQ(certify(), "");
  EXPECT_FALSE(is_served_);
  EXPECT_EQ(tcb_.keys_made, 0);
  answer("key", problem(404, "route.unknown"));
  Attestor fresh(through_, logs_);
  const auto outcome = Certifier(through_, fresh, identity_).certify(kLDevId, kIfDue);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->has_value());
  // But this is about the device.
  answer("certificate nonce", problem(404, "enrollment.unknown"));
  answer("key", reply(200, R"({"id_object":"AQI=","encrypted_secret":"AwQ=","session":"opaque-1"})"));
  EXPECT_EQ(certify(), "enrollment.unknown");
}

TEST_F(CertificateTest, IsRefusedUntilTheAttestationPasses) {
  for (const char* code : {"certificate.attestation", "certificate.attestation-missing"}) {
    answer("certificate", problem(403, code));
    EXPECT_EQ(certify(), code);
    const auto outcome = certifier().certify(kLDevId, kIfDue);
    ASSERT_FALSE(outcome);
    EXPECT_TRUE(wants_attestation(outcome.error()));
  }
  EXPECT_EQ(tries(), 4) << "each asks once";
}

TEST_F(CertificateTest, IsAskedForOnceMoreWithAnotherNonceOrToken) {
  const auto keys = requests("key") + 1;
  for (const auto& [status, code] : std::map<int, const char*>{
           {401, "attestation.nonce-expired"}, {403, "certificate.proof-replayed"}, {409, "certificate.order-gone"}}) {
    answer_first("certificate", {problem(status, code)});
    EXPECT_EQ(certify(kLDevId, kAlways), "") << code;
  }
  EXPECT_EQ(requests("key"), keys) << "one token for all of them";
  answer_first("certificate nonce", {problem(401, "attestation.token-expired")});
  EXPECT_EQ(certify(kLDevId, kAlways), "");
  EXPECT_EQ(requests("key"), keys + 1) << "another token";
  // Not for ever.
  answer("certificate", problem(403, "certificate.proof-replayed"));
  const int before = tries();
  EXPECT_EQ(certify(kLDevId, kAlways), "certificate.proof-replayed");
  EXPECT_EQ(tries(), before + 3);
  EXPECT_EQ(tcb_.keys_made, 5) << "a key is made when one was accepted, not with each round";
}

TEST_F(CertificateTest, TakesAnotherKeyWhenTheOneThatWaitedIsOfNoUse) {
  tcb_.ldevid.waiting = true;
  answer_first("certificate", {problem(403, "certificate.key-compromised")});
  ASSERT_EQ(certify(), "");
  EXPECT_EQ(calls("prove anew"), 1);
  EXPECT_EQ(tcb_.ldevid.chain.front(), first_);
  tcb_.accept_errors = {{ErrorKind::kRefused, "tcb.certificate.key", "another key"}};
  ASSERT_EQ(certify(kLDevId, kAlways), "");
  EXPECT_EQ(calls("prove anew"), 2);
  // But not again and again.
  const Error other{ErrorKind::kRefused, "tcb.certificate.key", "another key"};
  tcb_.accept_errors = {other, other, other};
  EXPECT_EQ(certify(kLDevId, kAlways), "tcb.certificate.key");
  EXPECT_THAT(tcb_.accept_errors, SizeIs(1));
}

// A new key would be another certificate, and two of them end the one in use.
TEST_F(CertificateTest, ShowsTheSameKeyAgainWhenTheTcbTakesNoCertificate) {
  hold(first_);
  answer("certificate", issued(second_));
  for (const char* code : {"crypto.path.expired", "tcb.certificate.untrusted", "tcb.certificate.name"}) {
    tcb_.accept_errors = {{ErrorKind::kRefused, code, "the TCB says no"}};
    const int before = tries();
    EXPECT_EQ(certify(kLDevId, kAlways), code);
    EXPECT_EQ(tries(), before + 1) << code;
  }
  EXPECT_EQ(tcb_.ldevid.chain.front(), first_);
  ASSERT_EQ(certify(kLDevId, kAlways), "");
  EXPECT_EQ(tcb_.keys_made, 1);
  EXPECT_EQ(calls("prove anew"), 0);
}

// Issued, the answer lost, then suspended. Who took it would have nothing left that the server takes.
TEST_F(CertificateTest, DoesNotGiveWayToOneThatIsSuspended) {
  hold(first_);
  tcb_.ldevid.waiting = true;
  answer("certificate", issued(second_, "held"));
  EXPECT_EQ(certify(kLDevId, kAlways), "certificate.held");
  EXPECT_EQ(tries(), 1);
  EXPECT_EQ(calls("accept certificate"), 0);
  EXPECT_EQ(calls("prove anew"), 0) << "another key is no way around an operator";
  EXPECT_EQ(tcb_.ldevid.chain.front(), first_);
  answer("certificate", issued(second_));
  ASSERT_EQ(certify(kLDevId, kAlways), "") << "it is resumed";
  EXPECT_EQ(tcb_.ldevid.chain.front(), second_);
  EXPECT_EQ(tcb_.keys_made, 0);
}

TEST_F(CertificateTest, WaitsAsLongAsTheServerAsksWhereverThatIs) {
  Certifier keeper = certifier();
  auto busy = problem(429, "server.busy");
  busy.retry_after = 3600s;
  for (const char* step : {"key", "certificate nonce", "certificate"}) {
    answer_first(step, {busy});
    EXPECT_EQ(keeper.certify(kLDevId, kAlways).error().code, "server.throttled") << step;
    EXPECT_EQ(keeper.retry_after(), 3600s) << step;
  }
  server_.unreachable = 1;
  EXPECT_EQ(keeper.certify(kLDevId, kAlways).error().code, "server.unreachable");
  EXPECT_FALSE(keeper.retry_after()) << "it said nothing now";
}

TEST_F(CertificateTest, AsksForNothingOfAServerThatTheTcbRefuses) {
  tcb_.server_ok = false;
  EXPECT_EQ(certify(), "tcb.handshake.nonce");
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(CertificateTest, BelievesNoAnswerThatMakesNoSense) {
  const std::string good = issued(first_).body;
  const auto with = [&](std::string_view old_text, std::string_view new_text) {
    std::string body = good;
    const auto at = body.find(old_text);
    EXPECT_NE(at, std::string::npos) << old_text;
    return body.replace(at, old_text.size(), new_text);
  };
  const std::string bodies[] = {
      "",
      "[]",
      "{}",
      with(R"("serial":")", R"("serial":"x)"),
      with(serial_of(first_), ""),
      with(serial_of(first_), std::string(42, 'a')),
      with("active", "act\\nive"),
      with("active", ""),
      with(to_rfc3339(kEnd), "tomorrow"),
      with(R"("certificate":")", R"("certificate":"!)"),
      with(to_base64(first_), ""),
      with(to_base64(first_), to_base64(Bytes(8193))),
      with(R"(["MAE="])", "[]"),
      with(R"(["MAE="])", R"("MAE=")"),
      with(R"(["MAE="])", R"([7])"),
      with(R"(["MAE="])", R"(["MAE=","MAE=","MAE=","MAE="])"),
      with("renew_after", "renew_before"),
  };
  for (const std::string& body : bodies) {
    answer("certificate", reply(200, body));
    EXPECT_EQ(certify(kLDevId, kAlways), "server.reply") << body;
  }
  for (std::size_t size = 0; size < good.size(); size += 5)
    EXPECT_FALSE(parse_issued_certificate(good.substr(0, size))) << size;
  answer("certificate", issued(first_));
  for (const char* body : {"", "{}", R"({"nonce":""})", R"({"nonce":7})", R"({"nonce":"!"})"}) {
    answer("certificate nonce", reply(200, body));
    EXPECT_EQ(certify(kLDevId, kAlways), "server.reply") << body;
  }
  hold(first_);
  answer("self", reply(200, "{}"));
  EXPECT_EQ(certify(), "server.reply");
  answer("self", problem(404, "route.unknown"));
  EXPECT_EQ(certify(), "") << "a server that says nothing of it";
  EXPECT_FALSE(is_new_);
}

// --- In the service ---

class CertificateRunnerTest : public CertificateTest {
 protected:
  void run(std::size_t waits) {
    waiter_.stop_after = waiter_.waits.size() + waits;
    Certifier keeper = certifier();
    Runner(through_, 1h, &attestor_, &keeper).run();
  }
};

TEST_F(CertificateRunnerTest, GetsOneAfterTheAttestationAndKeepsIt) {
  run(6);
  EXPECT_EQ(tries(), 1);
  EXPECT_EQ(tcb_.ldevid.chain.front(), first_);
  EXPECT_THAT(progress_.text, HasSubstr("the server issued the LDevID " + serial_of(first_)));
  const auto& calls = tcb_.calls;
  EXPECT_LT(std::ranges::find(calls, "accept") - calls.begin(), std::ranges::find(calls, "quote") - calls.begin());
  EXPECT_LT(std::ranges::find(calls, "quote") - calls.begin(), std::ranges::find(calls, "prove") - calls.begin());
  EXPECT_THAT(waiter_.waits, Each(Le(66min)));
}

TEST_F(CertificateRunnerTest, RenewsItInTime) {
  // The TCB's time is that of the device.
  waiter_.on_wait = [&] { tcb_.ldevid.now = to_unix_seconds(clock_.now()); };
  answer("certificate", issued(second_));
  hold(first_);
  tcb_.ldevid.renew_after = to_unix_seconds(test::kServerTime + 10h);
  answer("evidence", reply(200, R"({"overall":"affirming","layers":{},"next_after_seconds":86400})"));
  run(40);
  EXPECT_EQ(tcb_.ldevid.chain.front(), second_);
  EXPECT_EQ(tries(), 1);
}

TEST_F(CertificateRunnerTest, GetsNoneBeforeItHasAttested) {
  answer("evidence", problem(503, "attestation.busy"));
  run(8);
  EXPECT_EQ(tries(), 0);
  EXPECT_EQ(tcb_.keys_made, 0);
}

TEST_F(CertificateRunnerTest, WaitsForAnotherResultWhenTheServerWantsThat) {
  answer("certificate", problem(403, "certificate.attestation"));
  answer("evidence", result("contraindicated"));
  run(10);
  EXPECT_EQ(tries(), 1) << "the same judgement brings the same answer";
}

TEST_F(CertificateRunnerTest, AsksAgainWhenTheServerJudgesOtherwise) {
  answer("certificate", problem(403, "certificate.attestation"));
  answer("evidence", result("contraindicated"));
  waiter_.on_wait = [&] {
    if (waiter_.waits.size() != 6) return;
    answer("evidence", result("affirming"));
    answer("certificate", issued(first_));
  };
  run(9);
  EXPECT_EQ(tries(), 2);
  EXPECT_EQ(tcb_.ldevid.chain.front(), first_);
}

TEST_F(CertificateRunnerTest, BacksOffWhenTheServerIsInTrouble) {
  answer("certificate", problem(503, "signer.unreachable"));
  run(20);
  EXPECT_THAT(progress_.text, HasSubstr("certificate: asking for a certificate: the server answered 503"));
  EXPECT_GE(tries(), 3);
  EXPECT_LE(tries(), 19);
  EXPECT_EQ(tcb_.keys_made, 1);
}

TEST_F(CertificateRunnerTest, SaysOnceThatNoneAreIssued) {
  answer("certificate nonce", problem(404, "route.unknown"));
  run(150);
  const auto said = progress_.text.find("issues no certificates");
  ASSERT_NE(said, std::string::npos);
  EXPECT_EQ(progress_.text.find("issues no certificates", said + 1), std::string::npos);
  EXPECT_LE(requests("certificate nonce"), 4);
  EXPECT_EQ(progress_.text.find("certificate:"), std::string::npos) << "it is no error";
}

TEST_F(CertificateRunnerTest, GetsAnotherOneWhenTheTpmWasCleared) {
  run(4);
  ASSERT_EQ(tcb_.ldevid.chain.front(), first_);
  tcb_.ldevid = {};
  tcb_.ldevid.died = true;
  answer("certificate", issued(second_));
  run(4);
  EXPECT_EQ(tcb_.ldevid.chain.front(), second_);
}

}  // namespace
}  // namespace warifu::agent
