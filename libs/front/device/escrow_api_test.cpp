// A device's deposit for its operator: what is kept, what is refused, and that nothing is ever replaced.
#include "front/device/escrow_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "front/test_world.h"
#include "pki/authority.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::device {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

// Not the package of any device: the outer structure of EnvelopedData, and a number to tell one from another.
Bytes package(std::uint8_t number) {
  return from_hex(fmt::format("301006092a864886f70d010703a0033001{:02x}", number)).value();
}

std::string body_of(ByteView der) {
  return fmt::format(R"({{"package":"{}"}})", to_base64(der));
}

class EscrowApiTest : public ::testing::Test {
 protected:
  static std::string resource_of(const std::string& id, const Bytes& der = package(1)) {
    return fmt::format("{}%2Fregistrations%2F{}{}", test::kScope, id, deposit_of(der));
  }
  static std::string deposit_of(const Bytes& der) {
    return "%2Fescrow%2F" + to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {der}).bytes());
  }

  // As the TCB of meter-1 signs for its package.
  std::string sign(const SecretBytes& key, const Bytes& der = package(1)) const {
    return sign_for(key, resource_of("meter-1", der));
  }
  std::string sign_for(const SecretBytes& key, const std::string& resource, std::chrono::seconds lifetime = hours(1),
                       const std::string& name = "device") const {
    auto token = world_.meter.sign_for(key, resource, lifetime);
    token.replace(token.find("skn=registration"), std::string::npos, name.empty() ? "" : "skn=" + name);
    if (name.empty()) token.pop_back();
    return token;
  }
  net::HttpResponse put(const std::string& token, const std::string& body) {
    return world_.server.device_asks(
        World::TestDevice::request(net::Method::kPut, "/api/v1/device/escrow", token, body));
  }
  net::HttpResponse put_signed(const SecretBytes& key, const Bytes& der) { return put(sign(key, der), body_of(der)); }
  net::HttpResponse get_certificate() {
    return world_.server.device_asks(
        World::TestDevice::request(net::Method::kGet, "/api/v1/device/escrow-certificate", "", ""));
  }
  net::HttpResponse ask_operator(const std::string& token, const std::string& id,
                                 net::Method method = net::Method::kGet) {
    return world_.server.operator_asks(
        World::TestDevice::request(method, fmt::format("/api/v1/devices/{}/escrow", id), "Bearer " + token, ""));
  }
  void expect_refused(const net::HttpResponse& answer, int status, std::string_view code, const std::string& what) {
    EXPECT_EQ(answer.status, status) << what << ": " << answer.body;
    EXPECT_EQ(answer.content_type, "application/problem+json") << what;
    EXPECT_EQ(member(answer, "code"), code) << what;
  }
  void expect_kept(const net::HttpResponse& answer, const std::string& what) {
    EXPECT_EQ(answer.status, 204) << what << ": " << answer.body;
  }

  World world_;
  SecretBytes hub_key_ = world_.meter.provision().value();
  const std::string operator_token_ =
      world_.server.access_token(operators::Permissions::parse({"escrow:read"}).value()).value();
};

TEST_F(EscrowApiTest, KeepsWhatADeviceDepositsAndTellsItsOperatorOnly) {
  expect_kept(put_signed(hub_key_, package(1)), "the first");
  const auto shown = ask_operator(operator_token_, "meter-1");
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(member(shown, "device_id"), "meter-1");
  const auto packages = boost::json::parse(shown.body).at("packages").as_array();
  ASSERT_EQ(packages.size(), 1U);
  EXPECT_EQ(packages[0].at("number"), 1);
  EXPECT_EQ(packages[0].at("received_at").as_string(), to_rfc3339(world_.clock.now()));
  EXPECT_EQ(packages[0].at("package").as_string(), to_base64(package(1)));
  EXPECT_EQ(packages[0].at("ek_name").as_string(), to_hex(world_.tpm_a.ek().name().bytes()));
  EXPECT_EQ(packages[0].at("sha256").as_string(),
            to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {package(1)}).bytes()));
  EXPECT_THAT(world_.stored(), HasSubstr("device:meter-1 escrow.deposit device:meter-1"));
  EXPECT_THAT(world_.stored(), ::testing::ContainsRegex("operator:alice/[0-9a-f-]+ escrow.read device:meter-1"));

  const auto other = world_.server.access_token(operators::Permissions::parse({"device:read", "hub-key:read"}).value());
  expect_refused(ask_operator(*other, "meter-1"), 403, "permission.missing", "without escrow:read");
  expect_refused(ask_operator(operator_token_, "meter-2"), 404, "device.unknown", "another device");
  // RFC 9110 §9.2.1: HEAD is safe, and this GET is not.
  EXPECT_EQ(ask_operator(operator_token_, "meter-1", net::Method::kHead).status, 405);
}

TEST_F(EscrowApiTest, ChangesNothingForTheSamePackageAgain) {
  expect_kept(put_signed(hub_key_, package(1)), "the first");
  const auto before = world_.stored();
  world_.clock.advance(minutes(1));
  expect_kept(put_signed(hub_key_, package(1)), "again");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr(R"(warifu_escrow_packages_total{result="received"} 1)"));
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr(R"(warifu_escrow_packages_total{result="repeated"} 1)"));
}

TEST_F(EscrowApiTest, KeepsOneOfTheSamePackageAndNoneBeyondTheLimitWhenManyComeAtOnce) {
  std::atomic<int> kept = 0;
  std::atomic<int> full = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint8_t i = 0; i < 40; ++i)
      threads.emplace_back([&, i] {
        const int status = put_signed(hub_key_, package(i % 20)).status;
        if (status == 204) ++kept;
        if (status == 409) ++full;
      });
  }
  // Twenty packages, each twice.
  EXPECT_EQ(kept, 32);
  EXPECT_EQ(full, 8);
  const auto packages = boost::json::parse(ask_operator(operator_token_, "meter-1").body).at("packages").as_array();
  ASSERT_EQ(packages.size(), provisioning::EscrowDesk::kDepositsPerDeviceMax);
  std::set<std::string> different;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    EXPECT_EQ(packages[i].at("number"), i + 1);
    different.emplace(packages[i].at("package").as_string());
  }
  EXPECT_EQ(different.size(), packages.size());
}

TEST_F(EscrowApiTest, ReplacesNothingAndStopsAtSixteen) {
  for (std::uint8_t i = 1; i <= provisioning::EscrowDesk::kDepositsPerDeviceMax; ++i)
    expect_kept(put_signed(hub_key_, package(i)), std::to_string(i));
  const auto before = world_.stored();
  expect_refused(put_signed(hub_key_, package(17)), 409, "escrow.full", "the seventeenth");
  EXPECT_EQ(world_.stored(), before);
  expect_kept(put_signed(hub_key_, package(1)), "one of the sixteen");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(EscrowApiTest, RefusesEveryTokenButThatOfTheDeviceItself) {
  test::must(world_.server.enroll("meter-2", world_.tpm_b.ek()));
  const auto other_key = world_.device(world_.tpm_b, "meter-2").provision().value();
  const auto random = SecretBytes(Bytes(32, 0x11));
  const std::string registration = fmt::format("{}%2Fregistrations%2Fmeter-1", test::kScope);
  const struct {
    std::string what, token, code;
  } rows[] = {
      {"no token", "", "token.missing"},
      {"a wrong key", sign(random), "token.signature"},
      {"another device's key", sign(other_key), "token.signature"},
      {"an unknown device", sign_for(hub_key_, resource_of("meter-9")), "token.signature"},
      {"another scope", sign_for(hub_key_, "0ne00000002%2Fregistrations%2Fmeter-1" + deposit_of(package(1))),
       "token.signature"},
      {"another package", sign(hub_key_, package(2)), "token.signature"},
      {"the registration, not the deposit", sign_for(hub_key_, registration), "token.resource"},
      {"a hub's resource", sign_for(hub_key_, "hub.example%2Fdevices%2Fmeter-1"), "token.resource"},
      {"a registration", sign_for(hub_key_, resource_of("meter-1"), hours(1), "registration"), "token.key_name"},
      {"no key name", sign_for(hub_key_, resource_of("meter-1"), hours(1), ""), "token.key_name"},
      {"expired", sign_for(hub_key_, resource_of("meter-1"), minutes(-6)), "token.expired"},
      {"an operator's token", "Bearer " + operator_token_, "token.malformed"},
  };
  const auto before = world_.stored();
  for (const auto& row : rows) {
    const auto answer = put(row.token, body_of(package(1)));
    expect_refused(answer, 401, row.code, row.what);
    EXPECT_EQ(net::find_header(answer.headers, "WWW-Authenticate"), "SharedAccessSignature realm=\"warifu\"");
    if (row.code == "token.signature") {
      EXPECT_EQ(member(answer, "detail"), member(put_signed(random, package(1)), "detail")) << row.what;
    }
  }
  EXPECT_EQ(world_.stored(), before);
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr(R"(warifu_escrow_packages_total{result="refused"})"));
  expect_kept(put(sign_for(hub_key_, resource_of("meter-1"), minutes(-4)), body_of(package(1))),
              "a clock 4 minutes behind");
  expect_kept(put(sign_for(other_key, resource_of("meter-2")), body_of(package(1))), "the other device for itself");
}

// A device signs for one package; whoever has the token has no other to leave.
TEST_F(EscrowApiTest, TakesNoOtherPackageThanTheOneThatIsSignedFor) {
  const auto token = sign(hub_key_, package(1));
  const auto before = world_.stored();
  for (std::uint8_t i = 2; i < 20; ++i)
    expect_refused(put(token, body_of(package(i))), 401, "token.signature", std::to_string(i));
  EXPECT_EQ(world_.stored(), before);
  expect_kept(put(token, body_of(package(1))), "the one");
}

TEST_F(EscrowApiTest, RefusesTheKeyOfAnAssignmentThatWasReplaced) {
  const auto old = sign(hub_key_);
  const auto new_key = world_.meter.provision().value();
  expect_refused(put(old, body_of(package(1))), 401, "token.signature", "the old key");
  expect_kept(put_signed(new_key, package(1)), "the new key");
}

TEST_F(EscrowApiTest, RefusesADeviceWhoseEnrollmentIsGoneOrAnother) {
  test::must(world_.server.unenroll("meter-1"));
  expect_refused(put_signed(hub_key_, package(1)), 401, "token.signature", "not enrolled");
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  expect_refused(put_signed(hub_key_, package(1)), 401, "token.signature", "enrolled anew");
  hub_key_ = world_.meter.provision().value();
  expect_kept(put_signed(hub_key_, package(1)), "provisioned anew");
}

TEST_F(EscrowApiTest, TakesDepositsOfADeviceOnHoldAndOfOneThatRetires) {
  using lifecycle::Hold;
  using lifecycle::State;
  std::uint8_t number = 0;
  for (const auto& standing : {lifecycle::Standing{State::kProvisioned, Hold::kQuarantined},
                               {State::kActive, Hold::kSuspended},
                               {State::kRetiring, Hold::kNone}}) {
    world_.put_standing(standing);
    expect_kept(put_signed(hub_key_, package(++number)), std::string(to_string(standing.state)));
  }
  world_.put_standing({State::kRetired, Hold::kNone});
  const auto refused = put_signed(hub_key_, package(++number));
  expect_refused(refused, 403, "device.state", "retired");
  EXPECT_THAT(refused.body, Not(HasSubstr("retired"))) << "a device is told the code only";
}

TEST_F(EscrowApiTest, RefusesABodyThatIsNoPackage) {
  const auto before = world_.stored();
  const std::string good = to_base64(package(1));
  const struct {
    std::string what, body;
    int status;
    std::string code;
  } rows[] = {
      {"nothing", "", 400, "json.syntax"},
      {"a list", "[]", 400, "json.type"},
      {"no package", "{}", 400, "json.missing"},
      {"a number", R"({"package":5})", 400, "json.type"},
      {"another member", fmt::format(R"({{"package":"{}","ek_name":"00"}})", good), 400, "json.unknown-field"},
      {"twice", fmt::format(R"({{"package":"{}","package":"{}"}})", good, good), 400, "json.duplicate-key"},
      {"no base64", R"({"package":"%"})", 400, "escrow.package"},
      {"more than a body may have", body_of(Bytes(7000)), 413, "http.body_too_large"},
  };
  for (const auto& row : rows)
    expect_refused(put(sign(hub_key_), row.body), row.status, row.code, row.what);
  expect_refused(put_signed(hub_key_, Bytes(40, 0x30)), 400, "escrow.package", "no CMS");
  expect_refused(put_signed(hub_key_, Bytes()), 400, "escrow.package", "an empty package");
  expect_refused(put_signed(hub_key_, Bytes(provisioning::EscrowPackage::kSizeMax + 1)), 400, "escrow.package.size",
                 "more than a package may have");
  EXPECT_EQ(world_.stored(), before);
  // Of a stranger's package the size is looked at, and nothing else.
  expect_refused(put_signed(SecretBytes(Bytes(32, 0x11)), Bytes(40, 0x30)), 401, "token.signature", "a stranger");
}

TEST_F(EscrowApiTest, ShowsTheCertificateThatDevicesEncryptTo) {
  expect_refused(get_certificate(), 404, "escrow.none", "before there is one");
  EXPECT_THAT(get_certificate().body, HasSubstr("warifu-signer status"));

  crypto::Signer root_key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP384));
  auto root_certificate = pki::certify_root("Example", root_key, world_.clock, world_.entropy).value();
  const pki::Authority root{std::move(root_certificate), std::move(root_key)};
  const auto escrow_key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  const auto escrow =
      pki::certify_role(pki::Role::kEscrow, "Example", escrow_key.public_key(), root, world_.clock, world_.entropy)
          .value();
  std::vector<crypto::Certificate> chain;
  chain.push_back(escrow.clone());
  world_.server.escrow_api.set_chain(chain);
  const auto shown = get_certificate();
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.content_type, "application/json");
  EXPECT_EQ(shown.body, fmt::format(R"({{"chain":["{}"]}})", to_base64(escrow.to_der())));
  EXPECT_EQ(net::find_header(shown.headers, "Cache-Control"), "public, max-age=300");
}

TEST_F(EscrowApiTest, WordsErrorsOfDpsAsBeforeAndItsOwnAsProblems) {
  const auto get = [&](const std::string& target) {
    return world_.server.device_asks(World::TestDevice::request(net::Method::kGet, target, "", ""));
  };
  EXPECT_EQ(member(get("/nothing"), "errorCode"), "404000");
  expect_refused(get("/api/v1/nothing"), 404, "http.route", "under /api/v1/");
  expect_refused(get("/api/v1/device/escrow"), 405, "http.method", "a GET where PUT is served");
}

}  // namespace
}  // namespace warifu::front::device
