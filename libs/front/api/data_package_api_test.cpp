// Data packages that judge devices which attest: put, tried, and lived by at the next attestation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "crypto/private_key.h"
#include "ek_trust/test_maker.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "measured_boot/registers_json.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "verifier/test_attester.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using ek_trust::test::Maker;
using test::member;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

const std::string kFlawsPath = "/api/v1/tpm-flaws";
const std::string kQuirksPath = "/api/v1/firmware-quirks";
const std::string kPolicyPath = "/api/v1/attestation-policies";
// 7.85.4555.0, as Infineon counts.
constexpr std::uint64_t kFirmwareOfTest = 0x0007'0055'0011'CB00;

// Accuses Infineon's firmware from 7.85 to 7.86.
std::string accusing_table(const std::string& id = "TEST-1") {
  return fmt::format(
      R"({{"format":"warifu.tpm-flaws.v1","issued":"2026-11-29","flaws":[{{"id":"{}","name":"News","summary":"It leaks.",)"
      R"("published":"2026-11-29","sources":["https://a.example"],"elsewhere":"unknown","rules":[{{"manufacturer":"IFX",)"
      R"("affected":[{{"from":"7.85","before":"7.86"}}],"source":{{"url":"https://a.example","seen":"its list",)"
      R"("confirmed":"2026-11-29"}}}}]}}]}})",
      id);
}
std::string waiving_box(const std::string& product, const std::string& until) {
  return fmt::format(
      R"({{"format":"warifu.firmware-quirks.v1","quirks":[],"waivers":[{{"id":"waiver-1","machine":{{)"
      R"("manufacturer":"Acme","product":"{}"}},"bank":"sha256","pcr":0,"reason":"never replays","approved_by":"ops",)"
      R"("until":"{}"}}]}})",
      product, until);
}
std::string policy_of(const std::string& members) {
  return fmt::format(R"({{"policy":{{"format":"warifu.evidence-policy.v1",{}}}}})", members);
}

class DataPackageApiTest : public ::testing::Test {
 protected:
  DataPackageApiTest() {
    attester_.fields.firmware = kFirmwareOfTest;
    attester_.fields.signer = attestation::qualified_name(wire::Writer().u32(0x4000000B).take(), ak_name());
    const auto& ek = world_.tpm_a.ek();
    EXPECT_EQ(operator_
                  .put("/api/v1/enrollments/meter-1",
                       fmt::format(R"({{"registration_id":"meter-1","attestation":{{"type":"tpm","tpm":{{)"
                                   R"("endorsement_key":"{}","endorsement_certificate":"{}"}}}}}})",
                                   to_base64(ek.tpm2b()), to_base64(maker_.certify(ek))))
                  .status,
              200);
    EXPECT_EQ(operator_
                  .post("/api/v1/ek-roots", fmt::format(R"({{"certificates":["{}","{}"]}})", to_base64(maker_.root()),
                                                        to_base64(maker_.ca())))
                  .status,
              200);
  }

  tpm::Name ak_name() const { return attester_.ak.ak().identity()->name; }
  std::string body(const std::string& document) const {
    return body(document, key_.sign(as_bytes(document)), key_.public_key().to_pem());
  }
  static std::string body(const std::string& document, const Bytes& signature, const std::string& key) {
    return json::serialize(
        json::object{{"document", to_base64(as_bytes(document))}, {"signature", to_base64(signature)}, {"key", key}});
  }
  net::HttpResponse put(const std::string& path, const std::string& document) {
    return operator_.put(path, body(document));
  }
  static std::string code_of(const net::HttpResponse& answer) {
    return answer.status < 300 ? fmt::format("{}", answer.status) : member(answer, "code");
  }

  // One step of docs/protocols/attestation.md.
  json::object step(const std::string& name, const json::object& content) {
    auto request = World::TestDevice::request(
        net::Method::kPost,
        fmt::format("/api/v1/device/{}/registrations/meter-1/attestation/{}", test::scope_id().text(), name),
        token_.empty() ? "" : "Bearer " + token_, json::serialize(content));
    const auto answer = world_.server.device_asks(std::move(request));
    EXPECT_EQ(answer.status, 200) << name << answer.body;
    return json::parse(answer.body).as_object();
  }
  static Bytes bytes_of(const json::object& object, std::string_view name) {
    return from_base64(std::string_view(object.at(name).as_string())).value();
  }
  void activate() {
    const auto asked = step("key", {{"ek_public", to_base64(world_.tpm_a.ek().tpm2b())},
                                    {"ak_public", to_base64(wire::Writer().sized16(attester_.ak.tpmt()).take())}});
    const Bytes id_object = bytes_of(asked, "id_object");
    const Bytes encrypted = bytes_of(asked, "encrypted_secret");
    const auto secret =
        world_.tpm_a.activate_credential(ByteView(id_object).subspan(2), ByteView(encrypted).subspan(2), ak_name());
    const auto done =
        step("activation", {{"session", asked.at("session")}, {"secret", to_base64(secret.value().reveal())}});
    token_ = std::string(done.at("token").as_string());
  }
  // What the operator is shown of the next attestation.
  std::string attest() {
    if (token_.empty()) activate();
    world_.clock.advance(std::chrono::seconds(60));
    const auto told = step("nonce", {{"boot_id", attester_.boot_id}});
    const auto offset = told.at("ima").at("offset").to_number<std::uint64_t>();
    const auto s = attester_.submission(bytes_of(told, "nonce"), offset);
    step("evidence", {{"nonce", to_base64(s.nonce)},
                      {"quote", to_base64(s.quote)},
                      {"signature", to_base64(s.signature)},
                      {"registers", measured_boot::to_json(s.registers)},
                      {"boot_id", s.boot_id},
                      {"event_log", {{"sha256", to_hex(s.event_log_sha256)}, {"content", to_base64(*s.event_log)}}},
                      {"ima", {{"offset", s.ima->offset}, {"content", to_base64(s.ima->content)}}}});
    const auto shown = operator_.get("/api/v1/registrations/meter-1/attestation");
    EXPECT_EQ(shown.status, 200);
    hardware_ = member(shown, "result.layers.hardware");
    boot_ = member(shown, "result.layers.boot");
    return shown.body;
  }

  World world_;
  const test::Operator operator_{world_.server};
  const Maker maker_{"Test"};
  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  verifier::test::Attester attester_;
  std::string token_;
  std::string hardware_;
  std::string boot_;
};

TEST_F(DataPackageApiTest, ThePackageThatStandsJudgesTheNextAttestation) {
  EXPECT_THAT(attest(), AllOf(HasSubstr("IFX TestTPM, firmware 7.85.4555.0"), Not(HasSubstr("TEST-1"))));
  ASSERT_EQ(hardware_, "affirming");
  ASSERT_EQ(put(kFlawsPath, accusing_table()).status, 201);
  EXPECT_THAT(attest(), HasSubstr(R"("code":"hardware.tpm-flaw","what":"News (TEST-1))"));
  EXPECT_EQ(hardware_, "warning");
  ASSERT_EQ(operator_.put(kPolicyPath + "/default", policy_of(R"("hardware":{"flaws":"fail"})")).status, 201);
  attest();
  EXPECT_EQ(hardware_, "contraindicated");
  ASSERT_EQ(
      operator_.put(kPolicyPath + "/default", policy_of(R"("hardware":{"flaws":"fail","accepted_flaws":["TEST-1"]})"))
          .status,
      200);
  EXPECT_THAT(attest(), HasSubstr(R"("allowed_by":"hardware.accepted_flaws")"));
  EXPECT_EQ(hardware_, "affirming");
  ASSERT_EQ(operator_.remove(kFlawsPath).status, 204);
  EXPECT_THAT(attest(), Not(HasSubstr("TEST-1"))) << "what came with the program counts again";
}

TEST_F(DataPackageApiTest, WhatItsKeyDidNotSignIsRefusedAndNothingIsStored) {
  const auto before = world_.stored();
  const auto document = accusing_table();
  const Bytes signature = key_.sign(as_bytes(document));
  const std::string pem = key_.public_key().to_pem();
  const auto other = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key().to_pem();
  const std::tuple<std::string, std::string, const char*> rows[] = {
      {kFlawsPath, body(document, signature, other), "endorsement.data.signature"},
      {kFlawsPath, body(document + " ", signature, pem), "endorsement.data.signature"},
      {kFlawsPath, body(document, {}, pem), "endorsement.data.signature"},
      {kFlawsPath, body(document, signature, "no key"), "data_package.key"},
      {kFlawsPath, json::serialize(json::object{{"document", to_base64(as_bytes(document))}, {"key", pem}}),
       "json.missing"},
      {kFlawsPath, R"({"document":"%","signature":"","key":""})", "json.base64"},
      {kFlawsPath, "{", "json.syntax"},
      {kFlawsPath, body("{}"), "json.missing"},
      {kFlawsPath, body(std::string(1024 * 1024 + 1, ' ')), "data_package.size"},
      {kQuirksPath, body(document), "json.unknown-field"},
      {kFlawsPath, body(waiving_box("Box", "2099-12-31")), "json.unknown-field"},
      {kFlawsPath + "/test", body(document, signature, other), "endorsement.data.signature"},
  };
  for (const auto& [path, content, code] : rows) {
    const auto answer = path.ends_with("/test") ? operator_.post(path, content) : operator_.put(path, content);
    EXPECT_EQ(code_of(answer), code) << path << answer.body;
  }
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DataPackageApiTest, IsShownChangedByRevisionAndDeletedWithAnEntryEach) {
  EXPECT_EQ(member(operator_.get(kFlawsPath), "source"), "built-in");
  EXPECT_THAT(operator_.get(kFlawsPath).body, HasSubstr("CVE-2017-15361"));
  EXPECT_EQ(code_of(operator_.get(kQuirksPath)), "data_package.unknown");
  EXPECT_EQ(code_of(operator_.remove(kFlawsPath)), "data_package.unknown");

  EXPECT_EQ(operator_.put(kFlawsPath + "?dry_run=true", body(accusing_table())).status, 200);
  EXPECT_EQ(member(operator_.get(kFlawsPath), "source"), "built-in") << "a rehearsal";
  const auto created = put(kFlawsPath, accusing_table());
  EXPECT_EQ(member(created, "outcome"), "created");
  EXPECT_EQ(member(put(kFlawsPath, accusing_table()), "outcome"), "unchanged") << "another signature of the same key";
  const auto shown = operator_.get(kFlawsPath);
  EXPECT_EQ(member(shown, "source"), "operator");
  EXPECT_EQ(member(shown, "revision"), member(created, "revision"));
  EXPECT_THAT(shown.body, HasSubstr("TEST-1"));
  const auto etag = net::find_header(created.headers, "ETag").value_or("none");
  const auto changed = operator_.put(kFlawsPath, body(accusing_table("TEST-2")), {{"If-Match", std::string(etag)}});
  EXPECT_EQ(member(changed, "outcome"), "updated");
  EXPECT_EQ(code_of(operator_.put(kFlawsPath, body(accusing_table()), {{"If-Match", std::string(etag)}})),
            "data_package.revision");
  EXPECT_EQ(code_of(operator_.remove(kFlawsPath, {{"If-Match", std::string(etag)}})), "data_package.revision");
  EXPECT_EQ(put(kQuirksPath, waiving_box("Box", "2099-12-31")).status, 201);
  EXPECT_EQ(operator_.remove(kQuirksPath).status, 204);
  const auto stored = world_.stored();
  for (const char* entry : {"data-package.put data-package:tpm-flaws",
                            "data-package.delete data-package:firmware-quirks", "\"key_sha256\":\""})
    EXPECT_THAT(stored, HasSubstr(entry));
  const auto elsewhere = ScopeId::parse("0ne99").value();
  test::must(world_.server.make_scope(elsewhere));
  const test::Operator stranger(world_.server, operators::Permissions::all(), elsewhere);
  EXPECT_EQ(member(stranger.get(kFlawsPath), "source"), "built-in") << "another scope has its own";
}

TEST_F(DataPackageApiTest, ATestSaysWhoseHardwareWouldChangeAndStoresNothing) {
  attest();
  const auto before = world_.stored();
  const auto worse = operator_.post(kFlawsPath + "/test", body(accusing_table())).body;
  EXPECT_THAT(worse, AllOf(HasSubstr(R"("registration_id":"meter-1")"), HasSubstr(R"("verdict":"worse")"),
                           HasSubstr(R"("now":"affirming","then":"warning")"), HasSubstr("News (TEST-1)"),
                           HasSubstr(R"("next":null)")));
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(member(operator_.get(kFlawsPath + "/devices"), "items"), "[]");

  ASSERT_EQ(operator_.put(kPolicyPath + "/default", policy_of(R"("hardware":{"flaws":"fail"})")).status, 201);
  EXPECT_THAT(operator_.post(kFlawsPath + "/test", body(accusing_table())).body, HasSubstr(R"("verdict":"fails")"));
  ASSERT_EQ(put(kFlawsPath, accusing_table()).status, 201);
  const auto same = operator_.post(kFlawsPath + "/test?limit=1", body(accusing_table())).body;
  EXPECT_THAT(same,
              AllOf(HasSubstr(R"("verdict":"same")"), HasSubstr(R"("findings":[])"), HasSubstr(R"("next":"meter-1")")));
  EXPECT_EQ(member(operator_.post(kFlawsPath + "/test?limit=1&after=meter-1", body(accusing_table())), "items"), "[]");
  EXPECT_THAT(operator_.get(kFlawsPath + "/devices").body, HasSubstr(R"("where":"TEST-1")"));

  // Nothing is known of a TPM whose quotes hide the version, however good the package.
  attester_.fields.signer = attestation::qualified_name(wire::Writer().u32(0x40000001).take(), ak_name());
  attest();
  EXPECT_EQ(member(operator_.get(kFlawsPath + "/devices"), "items"), "[]");
  ASSERT_EQ(operator_.remove(kFlawsPath).status, 204);
  EXPECT_THAT(operator_.post(kFlawsPath + "/test", body(accusing_table())).body,
              HasSubstr("hardware.flaws-not-judged"));
}

TEST_F(DataPackageApiTest, ATrialOfAPolicyWeighsTheHardwareToo) {
  attest();
  const auto tried = [&](const std::string& hardware) {
    return operator_.post(kPolicyPath + "/default/test", policy_of(R"("hardware":)" + hardware)).body;
  };
  EXPECT_THAT(tried(R"({"manufacturers":["STM"]})"),
              AllOf(HasSubstr(R"("verdict":"fails")"), HasSubstr(R"("code":"hardware.manufacturer")"),
                    HasSubstr(R"("hardware":"contraindicated")")));
  EXPECT_THAT(tried(R"({"manufacturers":["IFX"],"classes":["discrete"],"ek_certificate":"required"})"),
              HasSubstr(R"("verdict":"better")"));
  ASSERT_EQ(put(kFlawsPath, accusing_table()).status, 201);
  EXPECT_THAT(tried(R"({"flaws":"fail"})"), HasSubstr(R"("verdict":"fails")"));
}

TEST_F(DataPackageApiTest, L14_AWaiverOfTheMachineThatThePolicyNamesIsAppliedAndTold) {
  attester_.values.bank(crypto::HashAlgorithm::kSha256).set(0, crypto::Digest(crypto::HashAlgorithm::kSha256));
  const std::string own = kPolicyPath + "/enrollments/meter-1";
  const auto machine = [](const std::string& product) {
    return policy_of(fmt::format(R"("machine":{{"manufacturer":"Acme","product":"{}"}})", product));
  };
  ASSERT_EQ(put(kQuirksPath, waiving_box("Box", "2099-12-31")).status, 201);
  attest();
  EXPECT_EQ(boot_, "contraindicated") << "nobody says which machine it is";
  ASSERT_EQ(operator_.put(own, machine("Box")).status, 201);
  EXPECT_THAT(attest(), AllOf(HasSubstr("eventlog.waived"), HasSubstr(R"("allowed_by":"waiver-1")")));
  EXPECT_EQ(boot_, "warning");
  ASSERT_EQ(operator_.put(own, machine("Rack")).status, 200);
  EXPECT_THAT(attest(), Not(HasSubstr("eventlog.waived")));
  EXPECT_EQ(boot_, "contraindicated") << "it is another model's";

  ASSERT_EQ(operator_.put(own, machine("Box")).status, 200);
  ASSERT_EQ(put(kQuirksPath, waiving_box("Box", "2026-01-31")).status, 200);
  EXPECT_THAT(attest(), HasSubstr("eventlog.waiver-expired"));
  EXPECT_EQ(boot_, "contraindicated") << "it is over";
  EXPECT_EQ(code_of(operator_.put(kPolicyPath + "/default", machine("Box"))), "policy.machine")
      << "that would be every device";
}

}  // namespace
}  // namespace warifu::front::api
