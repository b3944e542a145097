// Devices of enrollment groups, and what becomes of their certificates and keys when they leave one.
#include "front/certificates/applicants.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificate_request.h"
#include "crypto/certs_only.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::certificates {
namespace {

using device_ca::DeviceCertificate;
using device_ca::Ground;
using pki::KeyProtection;
using test::member;
using testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

RegistrationId id_of(const std::string& text) {
  return RegistrationId::parse(text).value();
}

class ApplicantsTest : public testing::Test {
 protected:
  ApplicantsTest() {
    test::must(world_.server.unenroll("meter-1"));
    make_group("plant");
    make_group("yard");
    list("plant", ek_);
  }

  void make_group(const std::string& group, const std::string& naming = "pump-*") {
    const auto put = alice_.put(groups_ + group, test::tpm_group(group, naming, R"(,"allow_software_keys":true)"));
    EXPECT_LT(put.status, 300) << put.body;
  }
  void list(const std::string& group, const tpm::EkPublic& ek) {
    const auto listed = alice_.post(groups_ + group + "/eks", test::ek_list({&ek}));
    EXPECT_EQ(listed.status, 200) << listed.body;
  }
  void take_off(const std::string& group, const tpm::EkPublic& ek) {
    EXPECT_EQ(alice_.remove(groups_ + group + "/eks/" + ek.name().text()).status, 204);
  }
  void deregister(const std::string& id) {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      return world_.server.device_desk.deregister(t.provisioning(), t.audit(), {test::scope_id(), "operator:test"},
                                                  id_of(id));
    }));
  }
  // "assigned", "waits", or the code of the refusal.
  std::string come(const sim::SoftwareTpm& tpm, const std::string& id = "pump-1") {
    world_.clock.advance(std::chrono::seconds(1));
    return world_.device(tpm, id).come().told;
  }

  Ground ground_in(const std::string& group) {
    std::optional<Ground> ground;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto found, s.provisioning().find_group(test::scope_id(), GroupId::parse(group).value()));
      ground = Ground{found->enrollment_id, found->group_id};
      return {};
    }));
    return *ground;
  }
  DeviceCertificate certificate_of(const std::string& group, KeyProtection protection,
                                   const std::string& id = "pump-1") {
    DeviceCertificate certificate{.scope = test::scope_id(),
                                  .serial = crypto::SerialNumber::random(world_.entropy),
                                  .registration_id = id_of(id),
                                  .ground = ground_in(group)};
    certificate.protection = protection;
    if (protection == KeyProtection::kTpm) certificate.ek_name = to_bytes(ek_.name().bytes());
    return certificate;
  }
  // "", or the code of the refusal.
  std::string use_of(const DeviceCertificate& certificate) {
    std::string code;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      const Status may = world_.server.applicants.may_use(s.provisioning(), certificate);
      if (!may) code = may.error().code;
      return {};
    }));
    return code;
  }
  bool stands(const std::string& id, const Ground& ground) {
    bool result = false;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(result, Applicants::stands_in(s.provisioning(), test::scope_id())(id_of(id), ground));
      return {};
    }));
    return result;
  }
  bool secret_stands(const std::string& id, const Ground& ground) {
    bool result = false;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(result, Applicants::secret_stands_in(s.provisioning(), test::scope_id())(id_of(id), ground));
      return {};
    }));
    return result;
  }

  net::HttpResponse ask(net::Method method, std::string target, std::string body, net::Headers headers,
                        const Bytes& shown = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.headers = std::move(headers);
    if (!shown.empty()) request.peer_chain = std::make_shared<const std::vector<Bytes>>(1, shown);
    request.body = std::move(body);
    return world_.server.device_asks(std::move(request));
  }
  // By EST with a fresh secret: a key in software.
  net::HttpResponse enroll(const std::string& id, const crypto::PrivateKey& key) {
    const auto made = alice_.post("/api/v1/registrations/" + id + "/certificate-secret");
    EXPECT_EQ(made.status, 201) << made.body;
    const std::string credentials = member(made, "reference") + ":" + member(made, "secret");
    const auto request = crypto::make_certificate_request({.common_name = id}, crypto::Signer(key)).value();
    return ask(net::Method::kPost, "/.well-known/est/simpleenroll", to_base64(request),
               {{"Authorization", "Basic " + to_base64(as_bytes(credentials))}});
  }

  const std::string groups_ = "/api/v1/enrollment-groups/";
  World world_;
  const test::Operator alice_{world_.server};
  const tpm::EkPublic& ek_ = world_.tpm_b.ek();
};

TEST_F(ApplicantsTest, ADeviceThatIsTakenOffItsGroupUsesItsCertificatesNoMore) {
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  const auto in_software = certificate_of("plant", KeyProtection::kSoftware);
  const auto in_tpm = certificate_of("plant", KeyProtection::kTpm);
  EXPECT_EQ(use_of(in_software), "");
  EXPECT_EQ(use_of(in_tpm), "");
  take_off("plant", ek_);
  EXPECT_EQ(use_of(in_software), "enrollment.unknown");
  EXPECT_EQ(use_of(in_tpm), "enrollment.unknown");
  list("plant", ek_);
  EXPECT_EQ(use_of(in_software), "enrollment.unknown") << "it has to come first";
  EXPECT_EQ(use_of(in_tpm), "enrollment.unknown");
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  EXPECT_EQ(use_of(in_software), "");
  EXPECT_EQ(use_of(in_tpm), "");
}

TEST_F(ApplicantsTest, ADeviceThatIsDeregisteredUsesItsCertificatesNoMoreUntilItComesAgain) {
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  const auto in_software = certificate_of("plant", KeyProtection::kSoftware);
  const auto in_tpm = certificate_of("plant", KeyProtection::kTpm);
  deregister("pump-1");
  EXPECT_EQ(use_of(in_software), "enrollment.unknown");
  EXPECT_EQ(use_of(in_tpm), "enrollment.unknown");
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  EXPECT_EQ(use_of(in_software), "");
  EXPECT_EQ(use_of(in_tpm), "");
}

TEST_F(ApplicantsTest, WhatOneGroupGaveIsNothingInAnother) {
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  const auto in_software = certificate_of("plant", KeyProtection::kSoftware);
  const auto in_tpm = certificate_of("plant", KeyProtection::kTpm);
  take_off("plant", ek_);
  list("yard", ek_);
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  EXPECT_EQ(use_of(in_software), "certificate.revoked");
  EXPECT_EQ(use_of(in_tpm), "certificate.revoked");
  EXPECT_EQ(use_of(certificate_of("yard", KeyProtection::kSoftware)), "");
  EXPECT_EQ(use_of(certificate_of("yard", KeyProtection::kTpm)), "");
}

// Attestation alone makes no device.
TEST_F(ApplicantsTest, ATpmThatNeverRegisteredIsInTheGroupThatHasItsEk) {
  const auto in_tpm = certificate_of("plant", KeyProtection::kTpm);
  EXPECT_EQ(use_of(in_tpm), "");
  take_off("plant", ek_);
  EXPECT_EQ(use_of(in_tpm), "enrollment.unknown");
  list("yard", ek_);
  EXPECT_EQ(use_of(in_tpm), "certificate.revoked");
}

TEST_F(ApplicantsTest, TheTpmWhosePlaceAnotherTookUsesItsCertificateNoMore) {
  list("plant", world_.tpm_a.ek());
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  const auto in_tpm = certificate_of("plant", KeyProtection::kTpm);
  auto of_other = in_tpm;
  of_other.ek_name = to_bytes(world_.tpm_a.ek().name().bytes());
  EXPECT_EQ(use_of(of_other), "certificate.key-elsewhere");
  ASSERT_EQ(come(world_.tpm_a), "waits");
  EXPECT_EQ(use_of(in_tpm), "");
  ASSERT_EQ(alice_.decide("approve", "pump-1").status, 200);
  ASSERT_EQ(come(world_.tpm_a), "assigned");
  EXPECT_EQ(use_of(in_tpm), "certificate.key-elsewhere");
  EXPECT_EQ(use_of(of_other), "");
}

// OCSP asks for strangers: what is not bound in the database is judged where the device comes.
TEST_F(ApplicantsTest, ACertificateIsUsedByTheBondAlone) {
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  const auto in_tpm = certificate_of("plant", KeyProtection::kTpm);
  make_group("plant", "fan-*");
  EXPECT_EQ(come(world_.tpm_b), "enrollment.name");
  EXPECT_EQ(use_of(in_tpm), "");
  auto elsewhere = in_tpm;
  elsewhere.registration_id = id_of("fan-1");
  EXPECT_EQ(use_of(elsewhere), "enrollment.unknown") << "the TPM is pump-1";
}

TEST_F(ApplicantsTest, ADoorIsShutForASoftwareKeyOfADeviceThatIsCutOff) {
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  auto answer = enroll("pump-1", crypto::PrivateKey::generate(crypto::KeyKind::kEcP256));
  ASSERT_EQ(answer.status, 200) << answer.body;
  answer.body.pop_back();  // the line feed
  const auto certificate = std::move(crypto::read_certs_only(from_base64(answer.body).value()).value().front());
  const auto serial = to_hex(certificate.serial());
  ASSERT_EQ(alice_.post("/api/v1/certificates/" + serial + "/activate").status, 200);
  const auto self = [&] { return ask(net::Method::kGet, "/api/v1/device/self", {}, {}, certificate.to_der()); };
  const auto known = self();
  EXPECT_EQ(known.status, 200) << known.body;
  take_off("plant", ek_);
  EXPECT_EQ(member(self(), "code"), "enrollment.unknown");
}

TEST_F(ApplicantsTest, KeysAreOfWhoIsInTheGroup) {
  const auto plant = ground_in("plant");
  EXPECT_FALSE(stands("pump-1", plant)) << "it never was there";
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  EXPECT_TRUE(stands("pump-1", plant));
  EXPECT_FALSE(stands("pump-1", ground_in("yard")));
  deregister("pump-1");
  EXPECT_TRUE(stands("pump-1", plant)) << "its EK is bound";
  // As enrollment.bound says: it gets another name.
  take_off("plant", ek_);
  EXPECT_FALSE(stands("pump-1", plant));
  list("plant", ek_);
  ASSERT_EQ(come(world_.tpm_b, "pump-9"), "assigned");
  EXPECT_FALSE(stands("pump-1", plant));
  EXPECT_TRUE(stands("pump-9", plant));
  // One device is kept out: its keys are no less its own, and what an operator gave it as one of the group is over.
  EXPECT_TRUE(secret_stands("pump-9", plant));
  ASSERT_EQ(alice_.post("/api/v1/enrollments", test::key_enrollment("pump-9", R"(,"enabled":false)")).status, 201);
  EXPECT_TRUE(stands("pump-9", plant));
  EXPECT_FALSE(secret_stands("pump-9", plant));
  ASSERT_EQ(alice_.remove("/api/v1/enrollments/pump-9").status, 204);
  ASSERT_EQ(alice_.remove(groups_ + "plant").status, 204);
  EXPECT_FALSE(stands("pump-9", plant));
}

TEST_F(ApplicantsTest, ADeviceTakesItsKeyAlongToAnotherNameOfItsGroup) {
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  ASSERT_EQ(enroll("pump-1", key).status, 200);
  const auto plant = ground_in("plant");
  const auto owner_told = [&] {
    std::string told;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto twice,
          world_.server.device_ca.find_key_twice(s.device_ca(),
                                                 {.scope = test::scope_id(),
                                                  .registration = id_of("pump-9"),
                                                  .ground = plant,
                                                  .public_key = key.public_key().spki()},
                                                 Applicants::stands_in(s.provisioning(), test::scope_id())));
      if (twice) told = twice->refusal.operator_detail;
      return {};
    }));
    return told;
  };
  EXPECT_THAT(owner_told(), HasSubstr("pump-1"));
  EXPECT_THAT(owner_told(), HasSubstr("the group plant: `warifu enrollment-group remove-ek`"));
  take_off("plant", ek_);
  EXPECT_EQ(owner_told(), "");
  list("plant", ek_);
  ASSERT_EQ(come(world_.tpm_b, "pump-9"), "assigned");
  const auto answer = enroll("pump-9", key);
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(ApplicantsTest, ACopyOfTheKeyOfADeviceThatIsKeptOutGetsNothing) {
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  ASSERT_EQ(enroll("pump-1", key).status, 200);
  ASSERT_EQ(alice_.post("/api/v1/enrollments", test::key_enrollment("pump-1", R"(,"enabled":false)")).status, 201);
  ASSERT_EQ(alice_.post("/api/v1/enrollments", test::key_enrollment("saw-1", R"(,"allow_software_keys":true)")).status,
            201);
  const auto answer = enroll("saw-1", key);
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("[certificate.key-elsewhere]"));
  EXPECT_THAT(alice_.get("/api/v1/alerts").body, HasSubstr(R"("kind":"certificate.key-twice")"));
}

}  // namespace
}  // namespace warifu::front::certificates
