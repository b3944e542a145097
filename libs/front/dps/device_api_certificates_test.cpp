// Devices that prove themselves by a client certificate, of their own or of an authority that is enrolled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificate.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::member;

const std::string kEnrollments = "/api/v1/enrollments";
const std::string kGroups = "/api/v1/enrollment-groups";

// A certificate with its key.
struct Holder {
  crypto::PrivateKey key;
  crypto::Certificate certificate;

  Bytes der() const { return certificate.to_der(); }
};

class DeviceCertificatesTest : public ::testing::Test {
 protected:
  Holder issue(const std::string& name, const Holder* issuer, bool is_ca = false, hours lifetime = hours(24 * 365)) {
    auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
    auto certificate = crypto::issue_certificate({.common_name = name,
                                                  .not_before = world_.clock.now() - hours(1),
                                                  .not_after = world_.clock.now() + lifetime,
                                                  .is_ca = is_ca,
                                                  .client_auth = !is_ca},
                                                 key.public_key(), issuer ? &issuer->certificate : nullptr,
                                                 issuer ? issuer->key : key, world_.entropy);
    return {std::move(key), std::move(certificate).value()};
  }
  static std::string x509(const Bytes& primary, const Bytes& secondary = {}) {
    const auto second = secondary.empty() ? "" : fmt::format(R"(,"secondary":"{}")", to_base64(secondary));
    return fmt::format(R"("attestation":{{"type":"x509","x509":{{"primary":"{}"{}}}}})", to_base64(primary), second);
  }
  void enroll(const std::string& id, const std::string& attestation, const std::string& more = {}) {
    const auto answer = operator_.put(kEnrollments + "/" + id,
                                      fmt::format(R"({{"registration_id":"{}",{}{}}})", id, attestation, more));
    ASSERT_LT(answer.status, 300) << answer.body;
  }
  void make_group(const std::string& id, const std::string& attestation, const std::string& more = {}) {
    const auto answer =
        operator_.put(kGroups + "/" + id, fmt::format(R"({{"group_id":"{}",{}{}}})", id, attestation, more));
    ASSERT_LT(answer.status, 300) << answer.body;
  }
  test::PlainDevice device(const std::string& id, std::vector<Bytes> chain) {
    return test::PlainDevice(world_.server, world_.clock, id).with_chain(std::move(chain));
  }
  void expect_refused(const net::HttpResponse& answer, int status, const std::string& code, const std::string& what) {
    EXPECT_EQ(answer.status, status) << what << ": " << answer.body;
    EXPECT_EQ(member(answer, "info.code"), code) << what;
  }

  World world_;
  const test::Operator operator_{world_.server};
};

TEST_F(DeviceCertificatesTest, RegistersPollsAndIsLookedUpWithEitherCertificate) {
  const auto old_one = issue("cam-1", nullptr);
  const auto new_one = issue("cam-1", nullptr);
  enroll("cam-1", x509(old_one.der(), new_one.der()));
  for (const auto* shown : {&old_one, &new_one}) {
    const auto cam = device("cam-1", {shown->der()});
    const auto operation = member(cam.ask_to_register(""), "operationId");
    const auto before = world_.stored();
    EXPECT_EQ(member(cam.ask_to_register(""), "operationId"), operation) << "asked twice";
    EXPECT_EQ(world_.stored(), before);
    const auto assigned = cam.poll(operation, "");
    EXPECT_EQ(assigned.status, 200) << assigned.body;
    EXPECT_EQ(member(assigned, "registrationState.deviceId"), "cam-1");
    EXPECT_EQ(member(assigned, "registrationState.x509.certificateInfo.subjectName"), "CN=cam-1");
    EXPECT_EQ(member(assigned, "registrationState.x509.enrollmentGroupId"), "absent");
    EXPECT_EQ(member(assigned, "registrationState.tpm"), "absent");
    EXPECT_EQ(member(cam.look_up(""), "assignedHub"), "hub.example");
    const auto device = operator_.get("/api/v1/devices/cam-1");
    EXPECT_THAT(device.body, HasSubstr(to_hex(shown->certificate.fingerprint_sha256().bytes())));
  }
  EXPECT_EQ(member(operator_.get("/api/v1/devices/cam-1/hub-key"), "code"), "device.no_key");
}

TEST_F(DeviceCertificatesTest, ADeviceThatNeverFetchedItsResultIsAssignedAnew) {
  const auto own = issue("cam-1", nullptr);
  enroll("cam-1", x509(own.der()));
  const auto cam = device("cam-1", {own.der()});
  const auto lost = member(cam.ask_to_register(""), "operationId");
  world_.clock.advance(minutes(61));
  const auto assigned = cam.provision();
  EXPECT_EQ(assigned.status, 200) << assigned.body;
  EXPECT_NE(member(assigned, "operationId"), lost);
}

TEST_F(DeviceCertificatesTest, RefusesEveryOtherCertificateAndChangesNothing) {
  const auto own = issue("cam-1", nullptr);
  const auto namesake = issue("cam-1", nullptr);
  const auto other = issue("cam-2", nullptr);
  enroll("cam-1", x509(own.der()));
  enroll("cam-2", x509(other.der()));
  const auto operation = member(device("cam-1", {own.der()}).ask_to_register(""), "operationId");
  const auto before = world_.stored();
  const struct {
    std::string what;
    std::vector<Bytes> chain;
    std::string code;
  } rows[] = {
      {"the same name", {namesake.der()}, "certificate.unknown"},
      {"the enrolled one behind it", {namesake.der(), own.der()}, "certificate.unknown"},
      {"another device's", {other.der()}, "certificate.name"},
      {"no certificate", {Bytes(100, 0x30)}, "certificate.form"},
      {"too long", std::vector<Bytes>(9, own.der()), "certificate.form"},
  };
  for (const auto& row : rows) {
    const auto cam = device("cam-1", row.chain);
    expect_refused(cam.ask_to_register(""), 401, row.code, row.what);
    expect_refused(cam.poll(operation, ""), 401, row.code, row.what);
    expect_refused(cam.look_up(""), 401, row.code, row.what);
  }
  expect_refused(device("cam-1", {}).poll(operation, ""), 401, "token.missing", "nothing");
  EXPECT_EQ(world_.stored(), before);
}

// Nobody makes a token for an X.509 enrollment: beside the certificate it would stand for what was proved.
TEST_F(DeviceCertificatesTest, RefusesATokenBesideTheCertificate) {
  const auto own = issue("cam-1", nullptr);
  enroll("cam-1", x509(own.der()));
  const auto both = device("cam-1", {own.der()}).with_key(Bytes(32, 7));
  const auto before = world_.stored();
  expect_refused(both.ask_to_register(both.sign()), 401, "enrollment.mechanism", "register");
  expect_refused(both.look_up(both.sign()), 401, "enrollment.mechanism", "lookup");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceCertificatesTest, RefusesACertificateOutOfItsTime) {
  const auto own = issue("cam-1", nullptr, false, hours(2));
  enroll("cam-1", x509(own.der()));
  const auto cam = device("cam-1", {own.der()});
  const auto operation = member(cam.ask_to_register(""), "operationId");
  const auto start = world_.clock.now();
  world_.clock.set(start - hours(2));
  expect_refused(cam.ask_to_register(""), 403, "certificate.not_yet_valid", "too early");
  world_.clock.set(start + minutes(59));
  EXPECT_EQ(cam.poll(operation, "").status, 200);
  world_.clock.set(start + hours(2) + seconds(1));
  expect_refused(cam.ask_to_register(""), 403, "certificate.expired", "too late");
  expect_refused(cam.look_up(""), 403, "certificate.expired", "too late");
}

TEST_F(DeviceCertificatesTest, TakesADeviceOfAnAuthorityAndNoOther) {
  const auto root = issue("Root", nullptr, true);
  const auto factory = issue("Factory", &root, true);
  const auto stranger = issue("Factory", nullptr, true);  // calls itself so
  const auto leaf = issue("pump-1", &factory);
  const auto forged = issue("pump-1", &stranger);
  make_group("pumps", x509(root.der()));
  const auto pump = device("pump-1", {leaf.der(), factory.der()});
  const auto assigned = pump.provision();
  EXPECT_EQ(assigned.status, 200) << assigned.body;
  EXPECT_EQ(member(assigned, "registrationState.x509.enrollmentGroupId"), "pumps");
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "group_id"), "pumps");
  const auto before = world_.stored();
  expect_refused(device("pump-1", {leaf.der()}).ask_to_register(""), 401, "certificate.unknown", "a gap in the path");
  for (const auto& chain : {std::vector{forged.der(), stranger.der()}, std::vector{forged.der(), factory.der()},
                            std::vector{forged.der(), stranger.der(), root.der()}})
    EXPECT_THAT(member(device("pump-1", chain).ask_to_register(""), "info.code"),
                AnyOf("certificate.unknown", "crypto.path.issuer"));
  expect_refused(device("pump-2", {leaf.der(), factory.der()}).ask_to_register(""), 401, "certificate.name",
                 "under another ID");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceCertificatesTest, AGroupThatIsGoneOrDisabledKeepsItsDevicesOut) {
  const auto root = issue("Root", nullptr, true);
  const auto leaf = issue("pump-1", &root);
  make_group("pumps", x509(root.der()));
  const auto pump = device("pump-1", {leaf.der()});
  const auto operation = member(pump.ask_to_register(""), "operationId");
  make_group("pumps", x509(root.der()), R"(,"enabled":false)");
  expect_refused(pump.ask_to_register(""), 403, "enrollment.disabled", "register");
  expect_refused(pump.poll(operation, ""), 403, "enrollment.disabled", "poll");
  expect_refused(pump.look_up(""), 403, "enrollment.disabled", "lookup");
  ASSERT_EQ(operator_.remove(kGroups + "/pumps").status, 204);
  expect_refused(pump.ask_to_register(""), 404, "enrollment.unknown", "deleted");
  expect_refused(pump.poll(operation, ""), 404, "enrollment.unknown", "deleted");
  make_group("pumps", x509(root.der()));
  expect_refused(pump.poll(operation, ""), 403, "operation.superseded", "made anew");
  expect_refused(pump.look_up(""), 404, "device.unknown", "made anew");
  EXPECT_EQ(pump.provision().status, 200);
}

TEST_F(DeviceCertificatesTest, AnEnrollmentOfItsOwnTakesPrecedenceOverTheGroup) {
  const auto root = issue("Root", nullptr, true);
  const auto leaf = issue("pump-1", &root);
  make_group("pumps", x509(root.der()));
  const auto pump = device("pump-1", {leaf.der()});
  ASSERT_EQ(pump.provision().status, 200);
  enroll("pump-1", x509(leaf.der()), R"(,"enabled":false)");
  expect_refused(pump.ask_to_register(""), 403, "enrollment.disabled", "kept out");
  expect_refused(pump.look_up(""), 403, "enrollment.disabled", "kept out");
  enroll("pump-1", x509(leaf.der()), R"(,"enabled":true,"device_id":"pump-1")");
  EXPECT_EQ(member(pump.provision(), "registrationState.x509.enrollmentGroupId"), "absent");
}

TEST_F(DeviceCertificatesTest, ANameOfAnyBytesIsWrittenDownPrintable) {
  make_group("pumps", x509(issue("Root", nullptr, true).der()));
  const auto odd = issue("cam\x01\xc3\xa9\"", nullptr);
  expect_refused(device("cam-1", {odd.der()}).ask_to_register(""), 401, "certificate.name", "odd");
  world_.server.attempts.flush();
  test::must(world_.store->write([](store::Transaction&) { return Status(); }));  // it is on disk
  const auto told = operator_.get("/api/v1/registrations/cam-1/explanation");
  EXPECT_EQ(told.status, 200) << told.body;
  EXPECT_THAT(told.body, HasSubstr("certificate.name"));
  for (const char c : told.body)
    ASSERT_TRUE(c >= ' ' && c <= '~') << static_cast<int>(c);
}

}  // namespace
}  // namespace warifu::front::dps
