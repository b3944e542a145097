// The dialogue of docs/protocols/attestation.md, with a TPM and an AK in memory.
#include "front/device/attestation_api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <future>

#include "base/temp_dir.h"
#include "front/http/dispatcher.h"
#include "front/http/problem.h"
#include "measured_boot/registers_json.h"
#include "provisioning/enrollment_desk.h"
#include "provisioning/memory_challenges.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "store/sqlite_store.h"
#include "verifier/test_attester.h"

namespace warifu::front::device {
namespace {

class AttestationApiTest : public testing::Test {
 protected:
  AttestationApiTest() {
    EXPECT_TRUE(store_->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(scope_, "Example", Timestamp()));
      TRY(const auto id, RegistrationId::parse("meter-1"));
      TRY_STATUS(enrollments_.put(t.provisioning(), t.audit(), {scope_, "operator:test"},
                                  {id, provisioning::TpmRequest{tpm_.ek()}, {}, {}}, {}));
      return {};
    }));
  }
  static SecretBytes key() { return SecretBytes(Bytes(32, 0xE7)); }

  void put_terms(const provisioning::Terms& terms) {
    EXPECT_TRUE(store_->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(enrollments_.put(t.provisioning(), t.audit(), {scope_, "operator:test"},
                                  {meter_, provisioning::TpmRequest{tpm_.ek()}, {}, terms},
                                  {provisioning::Precondition::Existing::kPresent}));
      return {};
    }));
  }
  // As register leaves it.
  void wait_for_assignment() {
    EXPECT_TRUE(store_->write([&](store::Transaction& t) -> Status {
      TRY(const auto enrollment, t.provisioning().find_enrollment(scope_, meter_));
      TRY_STATUS(t.provisioning().insert_operation({.scope = scope_,
                                                    .operation_id = Uuid::v7(clock_.now(), entropy_),
                                                    .registration_id = meter_,
                                                    .enrollment_id = enrollment->enrollment_id,
                                                    .group = std::nullopt,
                                                    .state = provisioning::Operation::State::kWaiting,
                                                    .challenge_id = std::nullopt,
                                                    .sealed_challenge_key = {},
                                                    .ek_name = to_bytes(tpm_.ek().name().bytes()),
                                                    .srk_public = {},
                                                    .token_digest = {},
                                                    .created_at = clock_.now(),
                                                    .ended_at = std::nullopt}));
      return t.audit().record(scope_, {"test", "attestation.await", "registration:meter-1"});
    }));
  }
  std::vector<provisioning::Alert> alerts() {
    std::vector<provisioning::Alert> all;
    EXPECT_TRUE(store_->read([&](store::Snapshot& s) -> Status {
      TRY(all, s.provisioning().list_alerts_of(scope_, meter_));
      return {};
    }));
    return all;
  }

  net::HttpResponse ask(const std::string& step, std::string body, const std::string& token = {},
                        const std::string& id = "meter-1") {
    net::HttpRequest request;
    request.method = net::Method::kPost;
    request.target = fmt::format("/api/v1/device/0ne1/registrations/{}/attestation/{}", id, step);
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    request.body = std::move(body);
    const auto promise = std::make_shared<std::promise<net::HttpResponse>>();
    auto answer = promise->get_future();
    dispatcher_.handle(std::move(request), [promise](net::HttpResponse r) { promise->set_value(std::move(r)); });
    return answer.get();
  }
  static boost::json::object json(const net::HttpResponse& response) {
    return boost::json::parse(response.body).as_object();
  }
  static std::string text(const net::HttpResponse& response, std::string_view name) {
    const auto object = json(response);
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "absent";
  }
  net::HttpResponse ask_key(const sim::SoftwareTpm& tpm) {
    const Bytes ak = wire::Writer().sized16(attester_.ak.tpmt()).take();
    return ask("key",
               fmt::format(R"({{"ek_public":"{}","ak_public":"{}"}})", to_base64(tpm.ek().tpm2b()), to_base64(ak)));
  }
  std::string activated() {
    const auto asked = ask_key(tpm_);
    EXPECT_EQ(asked.status, 200) << asked.body;
    const Bytes id_object = from_base64(text(asked, "id_object")).value();
    const Bytes encrypted = from_base64(text(asked, "encrypted_secret")).value();
    const auto secret = tpm_.activate_credential(ByteView(id_object).subspan(2), ByteView(encrypted).subspan(2),
                                                 attester_.ak.ak().identity()->name);
    const auto done = ask("activation", fmt::format(R"({{"session":"{}","secret":"{}"}})", text(asked, "session"),
                                                    to_base64(secret.value().reveal())));
    EXPECT_EQ(done.status, 200) << done.body;
    return text(done, "token");
  }
  net::HttpResponse nonce(const std::string& token) {
    clock_.advance(std::chrono::seconds(60));
    return ask("nonce", fmt::format(R"({{"boot_id":"{}"}})", attester_.boot_id), token);
  }
  std::string evidence(const net::HttpResponse& nonce) {
    const auto told = json(nonce);
    const auto offset = told.at("ima").at("offset").to_number<std::uint64_t>();
    const bool is_known = told.at("event_log").as_object().contains("known_sha256");
    const auto s = attester_.submission(from_base64(text(nonce, "nonce")).value(), offset, !is_known);
    boost::json::object log{{"sha256", to_hex(s.event_log_sha256)}};
    if (s.event_log) log["content"] = to_base64(*s.event_log);
    return boost::json::serialize(
        boost::json::object{{"nonce", to_base64(s.nonce)},
                            {"quote", to_base64(s.quote)},
                            {"signature", to_base64(s.signature)},
                            {"registers", measured_boot::to_json(s.registers)},
                            {"boot_id", s.boot_id},
                            {"event_log", std::move(log)},
                            {"ima", {{"offset", s.ima->offset}, {"content", to_base64(s.ima->content)}}}});
  }

  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  TempDir folder_;
  std::unique_ptr<store::SqliteStore> store_ =
      store::SqliteStore::open({.path = folder_.path() / "w.sqlite3", .clock = clock_, .entropy = entropy_}).value();
  const ScopeId scope_ = ScopeId::parse("0ne1").value();
  const RegistrationId meter_ = RegistrationId::parse("meter-1").value();
  const sim::SoftwareTpm tpm_ = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a").value();
  const sim::SoftwareTpm stranger_ =
      sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "b").value();
  verifier::test::Attester attester_;
  Metrics metrics_;
  provisioning::EnrollmentDesk enrollments_{clock_, entropy_, key()};
  provisioning::MemoryChallenges challenges_;
  provisioning::Registrar registrar_{clock_, entropy_, key(), challenges_, {.hubs = {"hub.example"}}};
  ek_trust::CertificateDesk certificates_{clock_};
  dps::AttemptLog attempts_{*store_, clock_};
  verifier::Desk desk_{clock_, entropy_, key()};
  const device_ca::Desk device_ca_{clock_, entropy_, key()};
  const certificates::Applicants applicants_{registrar_, clock_};
  AttestationApi api_{desk_,   registrar_, certificates_, {device_ca_, applicants_},
                      *store_, metrics_,   attempts_,     clock_};
  operators::Authenticator authenticator_{clock_, key(), "warifu.example"};
  Dispatcher dispatcher_{Router(api_.routes(), [](const Error& error, std::string_view tracking_id,
                                                  std::string_view) { return problem(error, tracking_id); }),
                         authenticator_,
                         *store_,
                         metrics_,
                         clock_,
                         entropy_};
};

TEST_F(AttestationApiTest, ADeviceShowsWhatItRunsRoundAfterRound) {
  const auto token = activated();
  const auto first = ask("evidence", evidence(nonce(token)), token);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(text(first, "overall"), "none") << "without a policy nothing is green";
  attester_.run("/usr/bin/id");
  const auto next = nonce(token);
  EXPECT_TRUE(json(next).at("event_log").as_object().contains("known_sha256"));
  EXPECT_GT(json(next).at("ima").at("offset").to_number<std::uint64_t>(), 0U);
  const auto second = ask("evidence", evidence(next), token);
  EXPECT_EQ(second.status, 200) << second.body;
}

TEST_F(AttestationApiTest, I14_AWindowThatClosesHasTheWholeListJudgedAgain) {
  const Timestamp until = clock_.now() + std::chrono::minutes(10);
  const auto old = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(std::string_view("/usr/bin/true"))});
  const std::string document = fmt::format(
      R"({{"format":"warifu.evidence-policy.v1","ima":{{"retiring":[{{"until":"{}","files":[{{"path":"/usr/bin/true",)"
      R"("digests":["sha256:{}"]}}]}}]}}}})",
      to_rfc3339(until), to_hex(old.bytes()));
  ASSERT_TRUE(store_->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(t.verifier().put_policy(
        {scope_, {"default", Uuid::v7(clock_.now(), entropy_), verifier::PolicyMode::kEnforce, {}, {}}, document}));
    return t.audit().record(scope_, {"operator:test", "policy.create", "policy:default"});
  }));
  const auto offset = [](const net::HttpResponse& nonce) {
    return json(nonce).at("ima").at("offset").to_number<std::uint64_t>();
  };
  const auto runtime = [](const net::HttpResponse& response) {
    return std::string(json(response).at("layers").at("runtime").as_string());
  };
  const auto token = activated();
  const auto first = ask("evidence", evidence(nonce(token)), token);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(runtime(first), "affirming") << first.body;
  clock_.set(until - std::chrono::seconds(90));
  const auto before = nonce(token);  // half a minute before it closes
  EXPECT_NE(offset(before), 0U);
  const std::string rest = evidence(before);
  clock_.set(until);
  const auto late = ask("evidence", rest, token);
  EXPECT_EQ(late.status, 409) << late.body;
  EXPECT_EQ(text(late, "code"), "attestation.ima-offset");
  const auto again = nonce(token);
  EXPECT_EQ(offset(again), 0U);
  const auto closed = ask("evidence", evidence(again), token);
  ASSERT_EQ(closed.status, 200) << closed.body;
  EXPECT_EQ(runtime(closed), "contraindicated") << closed.body;
}

TEST_F(AttestationApiTest, IsDueAgainByTheIntervalOfItsEnrollment) {
  const auto next_after = [&] {
    const auto token = activated();
    const auto judged = ask("evidence", evidence(nonce(token)), token);
    EXPECT_EQ(judged.status, 200) << judged.body;
    return json(judged).at("next_after_seconds").to_number<std::int64_t>();
  };
  EXPECT_EQ(next_after(), 60) << "the server's";
  provisioning::Terms terms;
  terms.attestation_interval = std::chrono::seconds(600);
  put_terms(terms);
  EXPECT_EQ(next_after(), 600);
  put_terms({});
  EXPECT_EQ(next_after(), 60);
}

TEST_F(AttestationApiTest, TellsAnOperatorOnceWhenADeviceWaitsAndItsEvidenceIsNotEnough) {
  const auto judge = [&] {
    const auto token = activated();
    EXPECT_EQ(ask("evidence", evidence(nonce(token)), token).status, 200);
  };
  judge();
  EXPECT_EQ(alerts().size(), 0U) << "nothing is demanded";
  provisioning::Terms terms;
  terms.required_attestation = provisioning::RequiredAttestation::kWarning;
  put_terms(terms);
  judge();
  EXPECT_EQ(alerts().size(), 0U) << "nobody waits";
  wait_for_assignment();
  judge();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].kind, "attestation.insufficient");
  EXPECT_THAT(alerts()[0].detail, testing::HasSubstr("nothing is known of"));
  judge();
  EXPECT_EQ(alerts()[0].count, 1);
}

TEST_F(AttestationApiTest, RefusesStrangersReplaysAndOtherDevices) {
  EXPECT_EQ(text(ask_key(stranger_), "code"), "enrollment.ek");
  const auto token = activated();
  EXPECT_EQ(text(ask("nonce", "{}"), "code"), "attestation.token");
  EXPECT_EQ(text(ask("nonce", "{}", token, "meter-2"), "code"), "attestation.token");
  const auto body = evidence(nonce(token));
  EXPECT_EQ(text(ask("evidence", body), "code"), "attestation.token");
  ASSERT_EQ(ask("evidence", body, token).status, 200);
  EXPECT_EQ(text(ask("evidence", body, token), "code"), "attestation.nonce-used");
}

TEST_F(AttestationApiTest, StrangersDoNotCrowdTheDiaryOut) {
  const auto token = activated();
  for (std::size_t i = 0; i < dps::AttemptLog::kWaitingOfAnybodyMax; ++i)
    ask("nonce", "{}", "", fmt::format("nobody-{}", i));
  EXPECT_EQ(attempts_.dropped(), 0U);
  ask("nonce", "{}", "", "nobody-else");
  EXPECT_EQ(attempts_.dropped(), 1U) << "the room of strangers is full";
  EXPECT_EQ(text(ask("nonce", "not JSON", token), "code"), "json.syntax");
  EXPECT_EQ(attempts_.dropped(), 1U) << "whoever has shown the device's token is written down";
}

TEST_F(AttestationApiTest, ALargeBodyIsReadOfWhoHasATokenOnly) {
  const auto token = activated();
  net::HttpRequest request;
  request.method = net::Method::kPost;
  request.target = "/api/v1/device/0ne1/registrations/meter-1/attestation/evidence";
  EXPECT_TRUE(dispatcher_.refuse_body(request));
  request.headers.emplace_back("Authorization", "Bearer " + token);
  EXPECT_FALSE(dispatcher_.refuse_body(request));
  request.target = "/api/v1/device/0ne1/registrations/meter-1/attestation/key";
  EXPECT_TRUE(dispatcher_.refuse_body(request));
}

}  // namespace
}  // namespace warifu::front::device
