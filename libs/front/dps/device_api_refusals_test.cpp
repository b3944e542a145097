// What a device, or a stranger, asks for and does not get: the answer's shape, and that nothing changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

class DeviceRefusalsTest : public ::testing::Test {
 protected:
  ~DeviceRefusalsTest() override { EXPECT_FALSE(world_.told_an_endorsement_key()); }

  // Asks, and holds the answer against DPS's own error shape.
  void expect_refused(net::HttpRequest request, int status, int error_code, const std::string& code,
                      const std::string& what) {
    const auto before = world_.stored();
    const auto outstanding = world_.server.registrar.outstanding_challenges();
    const auto answer = meter_.ask(std::move(request));
    EXPECT_EQ(answer.status, status) << what << ": " << answer.body;
    EXPECT_EQ(member(answer, "errorCode"), std::to_string(error_code)) << what;
    EXPECT_EQ(member(answer, "info.code"), code) << what;
    EXPECT_EQ(member(answer, "info.stage"), code.substr(0, code.find('.'))) << what;
    EXPECT_TRUE(Uuid::parse(member(answer, "trackingId"))) << what;
    EXPECT_EQ(member(answer, "trackingId"), net::find_header(answer.headers, "x-ms-request-id")) << what;
    EXPECT_EQ(net::find_header(answer.headers, "x-ms-error-code"), std::to_string(error_code)) << what;
    EXPECT_EQ(member(answer, "timestampUtc"), to_rfc3339(world_.clock.now())) << what;
    EXPECT_FALSE(member(answer, "message").empty()) << what;
    EXPECT_EQ(member(answer, "authenticationKey"), "absent") << what;
    EXPECT_EQ(world_.stored(), before) << what;
    EXPECT_EQ(world_.server.registrar.outstanding_challenges(), outstanding) << what;
  }
  net::HttpRequest with_target(net::HttpRequest request, const std::string& target) const {
    request.target = target;
    return request;
  }
  net::HttpRequest with_body(const std::string& body) const {
    auto request = meter_.register_request();
    request.body = body;
    return request;
  }
  net::HttpRequest with_keys(ByteView ek, ByteView srk) const {
    return with_body(
        fmt::format(R"({{"tpm":{{"endorsementKey":"{}","storageRootKey":"{}"}}}})", to_base64(ek), to_base64(srk)));
  }

  World world_;
  const World::TestDevice& meter_ = world_.meter;
};

TEST_F(DeviceRefusalsTest, RefusesAFirstRequestThatFitsNoEnrollment) {
  const auto good = meter_.register_request();
  const auto stranger = world_.device(world_.tpm_b, "meter-1");
  const auto unknown = world_.device(world_.tpm_a, "meter-2");
  const std::string version = "?api-version=2019-03-31";
  const struct {
    std::string what;
    net::HttpRequest request;
    int status;
    int error_code;
    std::string code;
  } rows[] = {
      {"another scope", with_target(good, "/0ne00000002/registrations/meter-1/register" + version), 404, 404201,
       "enrollment.scope"},
      {"an impossible scope", with_target(good, "/a%20b/registrations/meter-1/register" + version), 404, 404201,
       "enrollment.scope"},
      {"not enrolled", unknown.register_request(), 404, 404201, "enrollment.unknown"},
      {"an impossible ID", with_target(good, "/0ne00000001/registrations/-/register" + version), 404, 404201,
       "enrollment.unknown"},
      {"another TPM", stranger.register_request(), 401, 401002, "enrollment.ek"},
      {"no api-version", with_target(good, meter_.path() + "/register"), 400, 400004, "request.api_version"},
      {"another ID in the body", with_target(good, unknown.path() + "/register" + version), 400, 400004,
       "request.registration_id"},
      {"no keys", with_body(R"({"registrationId":"meter-1"})"), 400, 400004, "request.tpm"},
      {"nothing of the sort", with_target(good, "/0ne00000001/devices/meter-1" + version), 404, 404000, "http.route"},
      {"another method",
       World::TestDevice::request(net::Method::kDelete, meter_.path() + "/register" + version, "", ""), 405, 405000,
       "http.method"},
  };
  for (const auto& row : rows)
    expect_refused(row.request, row.status, row.error_code, row.code, row.what);
  EXPECT_TRUE(meter_.provision());
}

TEST_F(DeviceRefusalsTest, RefusesATokenThatProvesNothing) {
  const auto key = meter_.get_challenge().value();
  const SecretBytes other_key(Bytes(32, 9));
  const std::string good = meter_.sign(key);
  std::string changed = good;
  changed[good.find("sig=") + 4] = good[good.find("sig=") + 4] == 'A' ? 'B' : 'A';
  const std::string resource = "0ne00000001%2Fregistrations%2Fmeter-";
  const struct {
    std::string what;
    std::string token;
    std::string code;
  } rows[] = {
      {"forged", meter_.sign(other_key), "challenge.unknown"},
      {"changed", changed, "challenge.unknown"},
      {"malformed", "SharedAccessSignature sr=1", "token.malformed"},
      {"of an operator", "Bearer warifu_access_x", "token.malformed"},
      {"expired", meter_.sign(key, -std::chrono::minutes(6)), "token.expired"},
      {"for another registration", meter_.sign_for(key, resource + "2", std::chrono::hours(1)), "token.resource"},
      {"for another scope", meter_.sign_for(key, "0ne00000002%2Fregistrations%2Fmeter-1", std::chrono::hours(1)),
       "token.resource"},
  };
  const auto operation = Uuid::v7(world_.clock.now(), world_.entropy).text();
  for (const auto& row : rows) {
    expect_refused(meter_.register_request(row.token), 401, 401002, row.code, "register: " + row.what);
    expect_refused(meter_.lookup_request(row.token), 401, 401002, row.code, "lookup: " + row.what);
  }
  expect_refused(meter_.poll_request(operation, ""), 401, 401002, "token.missing", "no token");
  expect_refused(meter_.poll_request(operation, good), 404, 404202, "operation.unknown", "no such operation");
  expect_refused(meter_.poll_request("0", good), 404, 404202, "operation.unknown", "no operation ID");
  EXPECT_TRUE(meter_.open_operation(good)) << "what was refused has not used up the challenge";
}

TEST_F(DeviceRefusalsTest, RefusesAChallengeThatIsNotThisDevices) {
  test::must(world_.server.enroll("meter-2", world_.tpm_b.ek()));
  const auto other = world_.device(world_.tpm_b, "meter-2");
  const auto others_key = other.get_challenge().value();
  ASSERT_TRUE(meter_.get_challenge());
  expect_refused(meter_.register_request(meter_.sign(others_key)), 401, 401002, "challenge.unknown",
                 "another device's");
  EXPECT_TRUE(other.open_operation(other.sign(others_key)));
}

TEST_F(DeviceRefusalsTest, RefusesAChallengeThatHasExpired) {
  const auto first = meter_.get_challenge().value();
  world_.clock.advance(std::chrono::seconds(300) - std::chrono::microseconds(1));
  EXPECT_TRUE(meter_.open_operation(meter_.sign(first)));
  const auto second = meter_.get_challenge().value();
  world_.clock.advance(std::chrono::seconds(300));
  expect_refused(meter_.register_request(meter_.sign(second)), 401, 401002, "challenge.unknown", "expired");
}

TEST_F(DeviceRefusalsTest, RefusesAReplayAfterTheNextRegistration) {
  const auto old_token = meter_.sign(meter_.get_challenge().value());
  const auto old_operation = meter_.open_operation(old_token).value();
  ASSERT_TRUE(meter_.collect(old_operation, old_token));
  ASSERT_TRUE(meter_.provision());
  expect_refused(meter_.register_request(old_token), 401, 401002, "challenge.unknown",
                 "the token of the first registration");
  expect_refused(meter_.poll_request(old_operation, old_token), 403, 403000, "operation.superseded", "its result");
}

TEST_F(DeviceRefusalsTest, K6_RefusesKeysThatWereNotChallenged) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  auto request = world_.device(world_.tpm_a_cleared, "meter-1").register_request(token);
  expect_refused(request, 401, 401002, "challenge.keys", "another SRK");
  EXPECT_TRUE(meter_.open_operation(token));
}

TEST_F(DeviceRefusalsTest, RefusesAChallengeOfAnEnrollmentThatIsGone) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  test::must(world_.server.unenroll("meter-1"));
  expect_refused(meter_.register_request(token), 404, 404201, "enrollment.unknown", "deleted");
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  expect_refused(meter_.register_request(token), 401, 401002, "challenge.unknown", "made anew");
  EXPECT_TRUE(meter_.provision());
}

TEST_F(DeviceRefusalsTest, RefusesAResultOfAnEnrollmentThatIsGone) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  const auto operation = meter_.open_operation(token).value();
  test::must(world_.server.unenroll("meter-1"));
  expect_refused(meter_.poll_request(operation, token), 404, 404201, "enrollment.unknown", "deleted");
  expect_refused(meter_.register_request(token), 401, 401002, "challenge.unknown", "deleted, and asked again");
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  expect_refused(meter_.poll_request(operation, token), 403, 403000, "operation.superseded", "made anew");
  expect_refused(meter_.lookup_request(token), 401, 401002, "challenge.unknown", "made anew, looked up");
  EXPECT_TRUE(meter_.provision());
}

TEST_F(DeviceRefusalsTest, TellsNothingOfTheNextOwnersDeviceToTheLastOne) {
  const auto last_owner = meter_.sign(meter_.get_challenge().value());
  test::must(world_.server.unenroll("meter-1"));
  test::must(world_.server.enroll("meter-1", world_.tpm_b.ek()));
  const auto next = world_.device(world_.tpm_b, "meter-1");
  expect_refused(meter_.lookup_request(last_owner), 401, 401002, "challenge.unknown", "before the next one came");
  ASSERT_TRUE(next.provision());
  expect_refused(meter_.lookup_request(last_owner), 401, 401002, "challenge.unknown",
                 "a challenge of the old enrollment");
}

// Nor by what he was assigned, whose token stays good for an hour.
TEST_F(DeviceRefusalsTest, DoesNotTellTheLastOwnerWhenTheNextOwnersDeviceComes) {
  const auto last_owner = meter_.sign(meter_.get_challenge().value());
  const auto operation = meter_.open_operation(last_owner).value();
  ASSERT_TRUE(meter_.collect(operation, last_owner));
  test::must(world_.server.unenroll("meter-1"));
  test::must(world_.server.enroll("meter-1", world_.tpm_b.ek()));
  for (const std::string when : {"before", "after"}) {
    expect_refused(meter_.lookup_request(last_owner), 401, 401002, "challenge.unknown", when);
    expect_refused(meter_.poll_request(operation, last_owner), 403, 403000, "operation.superseded", when);
    EXPECT_EQ(world_.device(world_.tpm_b, "meter-1").provision().has_value(), true) << when;
  }
}

TEST_F(DeviceRefusalsTest, TellsAStrangerNothingOfAHold) {
  ASSERT_TRUE(meter_.provision());
  const auto live_key = meter_.get_challenge().value();
  const auto forged = meter_.sign(SecretBytes(Bytes(32, 0x5A)));
  world_.put_standing({lifecycle::State::kActive, lifecycle::Hold::kSuspended});
  for (const auto& request : {meter_.register_request(forged), meter_.lookup_request(forged)})
    EXPECT_EQ(meter_.ask(request).status, 401) << request.target;
  // The device itself, and the other TPM that calls itself so.
  EXPECT_EQ(meter_.ask(meter_.lookup_request(meter_.sign(live_key))).status, 403);
  const auto stranger = world_.device(world_.tpm_b, "meter-1");
  EXPECT_EQ(stranger.ask(stranger.register_request()).status, 401);
}

TEST_F(DeviceRefusalsTest, RefusesADeviceOnHoldAtEveryDoorAndTellsItNothingMore) {
  ASSERT_TRUE(meter_.provision());
  using lifecycle::Hold;
  using lifecycle::State;
  const struct {
    lifecycle::Standing standing;
    std::string code;
  } rows[] = {
      {{State::kProvisioned, Hold::kSuspended}, "device.hold"},
      {{State::kProvisioned, Hold::kQuarantined}, "device.hold"},
      {{State::kActive, Hold::kPendingApproval}, "device.hold"},
      {{State::kRetiring, Hold::kNone}, "device.state"},
      {{State::kRetired, Hold::kNone}, "device.state"},
      {{State::kDisposed, Hold::kNone}, "device.state"},
  };
  for (const auto& row : rows) {
    world_.put_standing({State::kActive, Hold::kNone});
    const auto used = meter_.sign(meter_.get_challenge().value());
    const auto operation = meter_.open_operation(used).value();
    const auto live = meter_.sign(meter_.get_challenge().value());
    world_.put_standing(row.standing);
    const std::string what(lifecycle::to_string(row.standing.state));
    expect_refused(meter_.register_request(), 403, 403000, row.code, what + ": challenge");
    expect_refused(meter_.register_request(live), 403, 403000, row.code, what + ": operation");
    expect_refused(meter_.register_request(used), 403, 403000, row.code, what + ": the same operation");
    expect_refused(meter_.poll_request(operation, used), 403, 403000, row.code, what + ": result");
    expect_refused(meter_.lookup_request(used), 403, 403000, row.code, what + ": lookup");
    for (const auto& told : world_.server.told_to_devices()) {
      EXPECT_THAT(told, Not(HasSubstr(std::string(lifecycle::to_string(row.standing.hold)) + ")")));
      EXPECT_THAT(told, Not(HasSubstr("that is " + what)));
    }
  }
}

TEST_F(DeviceRefusalsTest, RefusesBodiesThatAreNoCleanJson) {
  const std::string ek = to_base64(world_.tpm_a.ek().tpm2b());
  const std::string good = meter_.body();
  const struct {
    std::string what;
    std::string body;
    std::string code;
  } rows[] = {
      {"nothing", "", "json.syntax"},
      {"no object", "[]", "json.type"},
      {"two values", good + "{}", "json.syntax"},
      {"too large", R"({"payload":")" + std::string(64 * 1024, 'x') + "\"}", "json.too-large"},
      {"too deep", R"({"payload":)" + std::string(40, '[') + std::string(40, ']') + "}", "json.too-deep"},
      {"far too deep", std::string(60'000, '['), "json.too-deep"},
      {"a key twice", R"({"registrationId":"meter-1","registrationId":"meter-1"})", "json.duplicate-key"},
      {"a key twice inside", fmt::format(R"({{"tpm":{{"endorsementKey":"{}","endorsementKey":"{}"}}}})", ek, ek),
       "json.duplicate-key"},
      {"a number that is none", R"({"payload":1e999})", "json.number-range"},
      {"an ID that is no text", R"({"registrationId":1})", "json.type"},
      {"an ID that is none", R"({"registrationId":"a b"})", "id.registration"},
      {"tpm that is no object", R"({"tpm":"x"})", "json.type"},
      {"no storage root key", fmt::format(R"({{"tpm":{{"endorsementKey":"{}"}}}})", ek), "json.missing"},
      {"a key in no base64", R"({"tpm":{"endorsementKey":"*","storageRootKey":"*"}})", "text.base64"},
  };
  for (const auto& row : rows)
    expect_refused(with_body(row.body), 400, 400004, row.code, row.what);
  for (const std::string bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\x80"})
    expect_refused(with_body("{\"payload\":\"" + bad + "\"}"), 400, 400004, "json.syntax", "no UTF-8");
  for (std::size_t size = 1; size < good.size(); size += 7) {
    const auto before = world_.stored();
    EXPECT_EQ(meter_.ask(with_body(good.substr(0, size))).status, 400) << size;
    EXPECT_EQ(world_.stored(), before);
  }
  EXPECT_EQ(meter_.ask(with_body(good)).status, 401);
}

TEST_F(DeviceRefusalsTest, RefusesTpmStructuresWhoseLengthsLie) {
  const Bytes ek = to_bytes(world_.tpm_a.ek().tpm2b());
  const Bytes srk = to_bytes(world_.tpm_a.srk().tpm2b());
  const auto before = world_.stored();
  const auto is_refused = [&](ByteView offered_ek, ByteView offered_srk, const std::string& field,
                              const std::string& what) {
    const auto answer = meter_.ask(with_keys(offered_ek, offered_srk));
    EXPECT_EQ(answer.status, 400) << field << " " << what << ": " << answer.body;
    EXPECT_EQ(member(answer, "errorCode"), "400004") << field << " " << what;
    EXPECT_THAT(member(answer, "message"), HasSubstr("tpm." + field)) << what;
  };
  const auto ecc = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a", "p256");
  ASSERT_TRUE(ecc);
  const Bytes ecc_srk = to_bytes(ecc->srk().tpm2b());
  // The offsets of the length fields: the whole, authPolicy, unique (x and y).
  for (const auto& [key, field, offsets] : {std::tuple{&ek, "endorsementKey", std::vector<std::size_t>{0, 10, 58}},
                                            {&srk, "storageRootKey", {0, 10, 26}},
                                            {&ecc_srk, "storageRootKey", {0, 10, 24, 58}}}) {
    const bool is_ek = key == &ek;
    for (const std::size_t offset : offsets) {
      const unsigned said = (*key)[offset] * 256U + (*key)[offset + 1];
      for (const unsigned lie : {0U, said - 1, said + 1, 0xFFFFU}) {
        if ((lie & 0xFFFF) == said) continue;  // an empty policy says 0
        Bytes changed = *key;
        changed[offset] = static_cast<std::uint8_t>(lie >> 8);
        changed[offset + 1] = static_cast<std::uint8_t>(lie);
        is_refused(is_ek ? changed : ek, is_ek ? srk : changed, field,
                   fmt::format("length at {} is {}", offset, lie & 0xFFFF));
      }
    }
    for (std::size_t size = 0; size < key->size(); size += 5) {
      const auto cut = ByteView(*key).first(size);
      is_refused(is_ek ? cut : ek, is_ek ? srk : cut, field, fmt::format("cut to {}", size));
    }
    Bytes longer = *key;
    longer.push_back(0);
    is_refused(is_ek ? longer : ek, is_ek ? srk : longer, field, "a byte more");
  }
  is_refused(ek, ek, "storageRootKey", "an endorsement key in its place");
  Bytes off_the_curve = ecc_srk;
  off_the_curve.back() ^= 1;
  is_refused(ek, off_the_curve, "storageRootKey", "a point that is not on the curve");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(world_.server.registrar.outstanding_challenges(), 0u);
  EXPECT_EQ(meter_.ask(with_keys(ek, srk)).status, 401);
  EXPECT_EQ(meter_.ask(with_keys(ek, ecc_srk)).status, 401);
}

}  // namespace
}  // namespace warifu::front::dps
