// What a token of one ID scope can learn of another's things, and do to them: nothing, on any route.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ek_trust/test_maker.h"
#include "front/api/test_operator.h"
#include "front/dps_service/service_errors.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

const ScopeId kOther = ScopeId::parse("0ne00000002").value();
const std::string kGroupsPath = "/api/v1/enrollment-groups";

// A scope in which there is one of everything, and an operator of another scope, in which there is nothing.
class ScopeIsolation : public ::testing::Test {
 protected:
  ScopeIsolation() {
    test::must(world_.server.make_scope(kOther));
    must(owner_.put("/api/v1/enrollments/meter-1",
                    test::tpm_enrollment("meter-1", world_.tpm_a.ek(), R"(,"approve_srk_changes":true)")));
    must(owner_.post("/api/v1/enrollments", test::key_enrollment("lamp-1")));
    must(owner_.post(kGroupsPath, test::tpm_group("plant", "pump-*")));
    must(owner_.post(kGroupsPath, test::key_group("keys")));
    must(owner_.post("/api/v1/service-keys", R"({"name":"plant"})"));
    must(owner_.post("/api/v1/webhooks", R"({"name":"plant","url":"https://events.example.com/"})"));
    const auto tested = owner_.post("/api/v1/webhooks/plant/test");
    must(tested);
    waiting_event_ = member(tested, "event_id");
    must(owner_.post("/api/v1/ek-roots", certificates({maker_.root(), maker_.ca()})));
    for (const std::string target : {"default", "groups/plant", "enrollments/meter-1"})
      must(
          owner_.put("/api/v1/attestation-policies/" + target, R"({"policy":{"format":"warifu.evidence-policy.v1"}})"));
    attest();
    certify();
    must(owner_.post("/api/v1/registrations/meter-1/application-keys", R"({"name":"plant","generate":true})"));
    const auto& ek = world_.tpm_b.ek();
    must(owner_.post(kGroupsPath + "/plant/eks",
                     fmt::format(R"({{"eks":[{{"endorsement_key":"{}","endorsement_certificate":"{}"}}]}})",
                                 to_base64(ek.tpm2b()), to_base64(maker_.certify(ek)))));
    must(owner_.post("/api/v1/ek-crls", fmt::format(R"({{"crls":["{}"]}})", to_base64(maker_.crl(9)))));
    test::must(world_.server.enroll("meter-2", world_.tpm_a.ek()));  // makes an alert
    EXPECT_TRUE(world_.meter.provision());
    EXPECT_TRUE(world_.device(world_.tpm_b, "pump-1").provision());
    auto cleared = world_.device(world_.tpm_a_cleared, "meter-1");  // waits for an approval
    EXPECT_TRUE(cleared.open_operation(cleared.sign(cleared.get_challenge().value())));
    world_.server.attempts.flush();
    stranger_.emplace(world_.server, operators::Permissions::all(), kOther);
  }
  static void must(const net::HttpResponse& answer) { ASSERT_LT(answer.status, 300) << answer.body; }

  static std::string certificates(const std::vector<Bytes>& ders) {
    std::string list;
    for (const Bytes& der : ders)
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", to_base64(der));
    return fmt::format(R"({{"certificates":[{}]}})", list);
  }
  void certify() {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      device_ca::DeviceCertificate one{.scope = test::scope_id(),
                                       .serial = crypto::SerialNumber::from_bytes(Bytes{0x41, 0x01}).value(),
                                       .registration_id = RegistrationId::parse("meter-1").value(),
                                       .ground = {Uuid::v7(world_.clock.now(), world_.entropy)}};
      one.state = device_ca::State::kActive;
      one.not_after = world_.clock.now() + std::chrono::days(1);
      one.certificate = {1, 2, 3};
      TRY_STATUS(t.device_ca().insert_certificate(one));
      return t.audit().record(test::scope_id(), {"test", "certificate", "meter-1"});
    }));
  }
  std::string fingerprint() const {
    return endorsement::X509Certificate::parse(maker_.root()).value().fingerprint_sha256();
  }

  // As a device that attested leaves it.
  void attest() {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      const auto id = RegistrationId::parse("meter-1").value();
      const Bytes log(32, 0xEE);
      const std::string result = R"({"overall":"none","layers":{},"findings":[]})";
      TRY_STATUS(t.verifier().put_ak({test::scope_id(), id, Bytes(34, 1), Bytes(34, 2), Bytes(90, 3), {}}));
      verifier::Ledger ledger{.scope = test::scope_id(), .registration_id = id, .ak_name = Bytes(34, 2)};
      ledger.revision = 1;
      ledger.result = result;
      TRY_STATUS(t.verifier().put_ledger(ledger, 0));
      TRY_STATUS(t.verifier().put_event_log({test::scope_id(), log, Bytes{1}, {}}));
      verifier::KeptEvidence evidence{.scope = test::scope_id(), .registration_id = id};
      evidence.registers = "{}";
      evidence.result = result;
      TRY_STATUS(t.verifier().keep_evidence(evidence, 10));
      return t.audit().record(test::scope_id(), {"device:meter-1", "attestation.record", "meter-1"});
    }));
  }

  // All that its owner sees of it.
  std::string seen_by_owner() {
    std::string seen;
    for (const std::string& path : std::vector<std::string>{"enrollments",
                                                            "enrollments/meter-1",
                                                            "enrollments/lamp-1",
                                                            "enrollment-groups",
                                                            "enrollment-groups/plant",
                                                            "enrollment-groups/plant/eks",
                                                            "enrollment-groups/plant/devices",
                                                            "devices",
                                                            "approvals",
                                                            "alerts",
                                                            "registrations/meter-1/explanation",
                                                            "devices/meter-1/hub-key",
                                                            "enrollments/lamp-1/keys",
                                                            "enrollment-groups/keys/keys",
                                                            "ek-roots",
                                                            "ek-crls",
                                                            "id-scope",
                                                            "registrations/meter-1/application-keys",
                                                            "registrations/meter-1/application-keys/plant",
                                                            "webhooks",
                                                            "webhooks/plant",
                                                            "webhooks/plant/waiting/" + waiting_event_,
                                                            "attestations",
                                                            "waiting-registrations",
                                                            "registrations/meter-1/attestation",
                                                            "registrations/meter-1/attestation/evidence/1",
                                                            "attestation-policies",
                                                            "attestation-policies/default",
                                                            "certificates",
                                                            "certificates/4101"}) {
      const auto answer = owner_.get("/api/v1/" + path);
      EXPECT_EQ(answer.status, 200) << path << answer.body;
      seen += answer.body + "\n";
    }
    return seen;
  }
  std::string ek_name() const { return world_.tpm_b.ek().name().text(); }

  // The route, pointed at the owner's things (or at what nobody has).
  std::string target_of(const Route& route, bool at_nobody) const {
    std::string target = route.pattern;
    const auto fill = [&](std::string_view parameter, const std::string& value) {
      if (const auto at = target.find(parameter); at != std::string::npos) target.replace(at, parameter.size(), value);
    };
    const bool wants_keys = target.ends_with("/keys");
    fill("{registration_id}", at_nobody ? "nobody" : wants_keys ? "lamp-1" : "meter-1");
    fill("{group_id}", at_nobody ? "nobody" : wants_keys ? "keys" : "plant");
    fill("{name}", at_nobody ? "nobody" : "plant");
    fill("{device_id}", at_nobody ? "nobody" : "meter-1");
    fill("{fingerprint}", at_nobody ? std::string(64, '0') : fingerprint());
    fill("{number}", "1");
    fill("{event_id}", at_nobody ? "00000000-0000-7000-8000-000000000000" : waiting_event_);
    fill("{serial}", at_nobody ? "4100" : "4101");
    fill("{sha256}", std::string(64, at_nobody ? '0' : 'e'));
    fill("{ek_name}", at_nobody ? world_.tpm_a.ek().name().text() : ek_name());
    return target;
  }

  World world_;
  const ek_trust::test::Maker maker_{"Test"};
  const test::Operator owner_{world_.server};
  std::optional<test::Operator> stranger_;
  std::string waiting_event_;
};

// The answers of one request differ in their tracking IDs, and name what was asked for.
std::string without_names(net::HttpResponse answer, const std::vector<std::string>& more) {
  std::string text = fmt::format("{} {}", answer.status, answer.body);
  if (const auto at = text.find("\"tracking_id\""); at != std::string::npos) text.resize(at);
  std::vector<std::string> names{"nobody", "meter-1", "lamp-1", "plant", "keys"};
  names.insert(names.end(), more.begin(), more.end());
  for (const std::string& name : names)
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name))
      text.replace(at, name.size(), "X");
  return text;
}

TEST_F(ScopeIsolation, EveryRouteAnswersForTheThingsOfOthersAsForThoseOfNobody) {
  const auto before = seen_by_owner();
  std::size_t tried = 0;
  for (const Route& route : world_.server.operators.router().routes()) {
    if (!route.access.permission() || route.pattern == "/metrics") continue;
    if (dps_service::is_service_target(route.pattern)) continue;  // they have a test of their own
    // What makes something needs a body, and is tried below.
    const bool makes = route.method == net::Method::kPut ||
                       (route.method == net::Method::kPost && !route.pattern.starts_with("/api/v1/approvals"));
    if (makes) continue;
    // The names of the keys that wait: even who knows them decides nothing.
    const std::string body = route.method == net::Method::kPost ? owner_.approval_keys("meter-1") : "";
    const auto theirs = stranger_->ask(route.method, target_of(route, false), body);
    const auto nobodys = stranger_->ask(route.method, target_of(route, true), body);
    const std::string what = fmt::format("{} {}", net::to_string(route.method), route.pattern);
    // The one policy for all has no name, nor have data packages.
    const bool is_default = route.pattern.ends_with("/attestation-policies/default") ||
                            route.pattern == "/api/v1/firmware-quirks" ||
                            (route.pattern == "/api/v1/tpm-flaws" && route.method == net::Method::kDelete);
    if (is_default || route.pattern.find('{') != std::string::npos) {
      EXPECT_EQ(theirs.status, 404) << what << theirs.body;
      const std::vector<std::string> names{
          fingerprint(), std::string(64, '0'), ek_name(), world_.tpm_a.ek().name().text(), std::string(64, 'e'), "4100",
          "4101"};
      EXPECT_EQ(without_names(theirs, names), without_names(nobodys, names)) << what;
    } else if (route.pattern == "/api/v1/tpm-flaws") {
      EXPECT_EQ(member(theirs, "source"), "built-in") << what << theirs.body;
    } else if (route.pattern != "/api/v1/id-scope") {
      EXPECT_EQ(member(theirs, "items"), "[]") << what;
      // There are few of these, and no pages.
      const bool is_whole = route.pattern == "/api/v1/service-keys" || route.pattern == "/api/v1/webhooks";
      EXPECT_EQ(member(theirs, "next"), is_whole ? "absent" : "null") << what;
    }
    ++tried;
  }
  EXPECT_EQ(tried, 54u);
  EXPECT_EQ(member(stranger_->get("/api/v1/id-scope"), "id_scope"), kOther.text());
  EXPECT_EQ(seen_by_owner(), before);
  EXPECT_THAT(owner_.get("/api/v1/service-keys").body, HasSubstr(R"("name":"plant")"));
}

TEST_F(ScopeIsolation, WhatAStrangerMakesUnderTheSameNamesIsHisOwn) {
  const auto before = seen_by_owner();
  const std::string alert = R"({"registration_id":"meter-1","kind":"ek.duplicate","subject":"meter-2"})";
  const auto refused = stranger_->post("/api/v1/alerts/acknowledge", alert);
  EXPECT_EQ(member(refused, "code"), "alert.unknown");
  EXPECT_EQ(member(stranger_->post(kGroupsPath + "/plant/eks/" + ek_name() + "/allow"), "code"), "group.unknown");
  for (const char* verb : {"activate", "suspend", "resume", "revoke"}) {
    const auto answer = stranger_->post(fmt::format("/api/v1/certificates/4101/{}", verb));
    EXPECT_EQ(answer.status, 404) << verb << answer.body;
    EXPECT_EQ(member(answer, "code"), "certificate.unknown") << verb;
  }
  const auto secret = stranger_->post("/api/v1/registrations/lamp-1/certificate-secret");
  EXPECT_EQ(secret.status, 404) << secret.body;
  EXPECT_EQ(member(secret, "code"), "enrollment.unknown");

  // The EKs are enrolled and listed in the other scope: here that says nothing and hinders nobody.
  const auto created = stranger_->post("/api/v1/enrollments", test::tpm_enrollment("meter-1", world_.tpm_a.ek()));
  EXPECT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(member(created, "same_ek_as"), "[]");
  const auto declared = stranger_->put("/api/v1/enrollments/lamp-1", test::key_enrollment("lamp-1"));
  EXPECT_EQ(member(declared, "outcome"), "created");
  EXPECT_EQ(member(stranger_->put(kGroupsPath + "/plant", test::tpm_group("plant", "*")), "outcome"), "created");
  EXPECT_EQ(stranger_->post(kGroupsPath, test::key_group("keys")).status, 201);
  EXPECT_THAT(stranger_->post(kGroupsPath + "/plant/eks", test::ek_list({&world_.tpm_b.ek()})).body,
              HasSubstr("added"));
  const auto bulk = stranger_->post(
      "/api/v1/bulk/enrollments",
      R"({"mode":"delete","enrollments":[{"registration_id":"meter-2"},{"registration_id":"lamp-1"}]})");
  EXPECT_THAT(bulk.body, HasSubstr("enrollment.unknown"));
  // Under his own enrollment of that name there is no such key, and one that he gives is another one.
  const std::string keys = "/api/v1/registrations/meter-1/application-keys";
  EXPECT_EQ(member(stranger_->post(keys + "/plant/revoke"), "code"), "application-key.unknown");
  EXPECT_EQ(member(stranger_->post(keys + "/plant/rotate"), "code"), "application-key.unknown");
  EXPECT_EQ(member(stranger_->post(keys, R"({"name":"plant","generate":true})"), "version"), "1");
  EXPECT_EQ(stranger_->post(keys + "/plant/revoke").status, 200);
  const std::string root = "/api/v1/ek-roots/" + fingerprint();
  EXPECT_EQ(member(stranger_->post(root + "/distrust", R"({"reason":"mine"})"), "code"), "ek_root.unknown");
  EXPECT_EQ(member(stranger_->post(root + "/trust"), "code"), "ek_root.unknown");
  EXPECT_EQ(stranger_->post("/api/v1/ek-roots", certificates({maker_.root()})).status, 200);
  EXPECT_EQ(stranger_->post(root + "/distrust", R"({"reason":"mine"})").status, 200);
  EXPECT_EQ(stranger_->post("/api/v1/service-keys", R"({"name":"ci"})").status, 201);
  EXPECT_EQ(owner_.post("/api/v1/service-keys", R"({"name":"ci"})").status, 201);
  for (const auto& [name, value] : {std::pair{"primary_key", "keys/keys"}})
    EXPECT_NE(member(stranger_->get(fmt::format("{}/{}", kGroupsPath, value)), name),
              member(owner_.get(fmt::format("{}/{}", kGroupsPath, value)), name));
  EXPECT_EQ(seen_by_owner(), before);

  // And what he takes away is his own too.
  EXPECT_EQ(stranger_->remove(kGroupsPath + "/plant/eks/" + ek_name()).status, 204);
  EXPECT_EQ(stranger_->remove(kGroupsPath + "/plant").status, 204);
  EXPECT_EQ(stranger_->remove("/api/v1/enrollments/meter-1").status, 204);
  EXPECT_EQ(seen_by_owner(), before);
  EXPECT_TRUE(world_.device(world_.tpm_b, "pump-1").provision());
}

TEST_F(ScopeIsolation, AnExplanationTellsOfOneScopeOnly) {
  must(stranger_->post("/api/v1/enrollments", test::key_enrollment("meter-1")));
  const auto told = stranger_->get("/api/v1/registrations/meter-1/explanation");
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(member(told, "attempts"), "[]");
  EXPECT_EQ(member(told, "device"), "null");
  EXPECT_EQ(member(told, "approval"), "null");
  EXPECT_EQ(member(told, "alerts"), "[]");
  EXPECT_THAT(told.body, Not(HasSubstr(world_.tpm_a.ek().name().text())));
}

}  // namespace
}  // namespace warifu::front::api
