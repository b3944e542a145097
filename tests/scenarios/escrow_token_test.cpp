// An agent that was taken over asks the device's TCB for everything that its keys sign, and takes it to the server's
// escrow door: the device's own code on both sides, a TPM in software.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/test_world.h"
#include "simulated_site.h"
#include "tcb/test_service.h"

namespace warifu::scenarios {
namespace {

using namespace tcb_protocol;
using tcb::Caller;
using Device = tcb::TestDevice<sim::SoftwareTpm, sim::SteppingClock, sim::SeededEntropy>;
using front::test::member;

// Not what any TCB made: the outer structure of EnvelopedData.
const Bytes kJunk = from_hex("301006092a864886f70d010703a003300100").value();

class EscrowToken : public testing::Test {
 protected:
  EscrowToken() {
    site_.clock().set(tcb::kTestNow);
    if (!site_.start()) std::abort();
    site_.make_scope_with(1);
    hub_key_ = site_.device(0).provision().value();
    device_.names = {front::test::scope_id(), RegistrationId::parse("meter-0").value()};
    device_.restart();
    device_.provision(hub_key_);
    package_ = device_.own();
  }

  // The door, with a token and a package.
  net::HttpResponse deposit(const std::string& token, const Bytes& package) {
    return site_.server().device_asks(TestDevice::request(net::Method::kPut, "/api/v1/device/escrow", token,
                                                          fmt::format(R"({{"package":"{}"}})", to_base64(package))));
  }
  std::string stored() {
    auto connection = site_.inspect_database();
    return connection ? front::test::dump(*connection) : "unreadable";
  }
  void expect_refused(const std::string& token, const Bytes& package, std::string_view code) {
    const auto before = stored();
    const auto answer = deposit(token, package);
    EXPECT_EQ(answer.status, 401) << answer.body;
    EXPECT_EQ(member(answer, "code"), code);
    EXPECT_EQ(stored(), before);
  }
  // skn is not under the signature: whoever has a token can write another.
  static std::string as_device(std::string token) {
    token.resize(std::min(token.size(), token.find("&skn=")));
    return token + "&skn=device";
  }
  template <class R>
  std::string token_of(R request) {
    return device_.service->handle(Caller::kAgent, std::move(request)).value().token;
  }

  SimulatedSite site_{7};
  Device device_;
  SecretBytes hub_key_;
  Bytes package_;
};

TEST_F(EscrowToken, OpensTheDoorForThePackageOfTheTcb) {
  EXPECT_EQ(deposit(token_of(tcb_protocol::EscrowToken{600}), package_).status, 204);
}

TEST_F(EscrowToken, OpensTheDoorForNoOtherPackage) {
  expect_refused(token_of(tcb_protocol::EscrowToken{600}), kJunk, "token.signature");
}

// The blob of the hub key goes through the agent's hands, and is a challenge as good as any.
TEST_F(EscrowToken, IsNotMadeByTheHubKeyAsAChallenge) {
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(hub_key_)}), "");
  const auto token = token_of(RegistrationToken{253'402'300'799});
  EXPECT_THAT(token, testing::HasSubstr("&se=253402300799&"));
  for (const auto& package : {package_, kJunk}) {
    expect_refused(token, package, "token.key_name");
    expect_refused(as_device(token), package, "token.resource");
  }
}

TEST_F(EscrowToken, IsNotMadeOfATokenForAHub) {
  expect_refused(as_device(token_of(HubToken{3600})), package_, "token.resource");
  // Nor by an assignment of the agent's own making, with the true key.
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(SecretBytes(32))}), "");
  ASSERT_EQ(
      device_.ask(AcceptAssignment{front::test::scope_id().text(), "meter-0", device_.authentication_key(hub_key_)}),
      "");
  expect_refused(as_device(token_of(HubToken{3600})), package_, "token.resource");
}

}  // namespace
}  // namespace warifu::scenarios
