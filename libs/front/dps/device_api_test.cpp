#include "front/dps/device_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

std::string text_of(const SecretBytes& key) {
  return to_hex(key.reveal());
}

class DeviceApiTest : public ::testing::Test {
 protected:
  ~DeviceApiTest() override { EXPECT_FALSE(world_.told_an_endorsement_key()); }

  std::size_t audited(const std::string& action) {
    const std::string stored = world_.stored();
    std::size_t count = 0;
    for (auto at = stored.find(' ' + action + ' '); at != std::string::npos;
         at = stored.find(' ' + action + ' ', at + 1))
      ++count;
    return count;
  }

  // With the EK, which is public, and a storage root key that was made up.
  net::HttpRequest strangers_request(int number, std::string address) const {
    auto srk = to_bytes(world_.tpm_a.srk().tpm2b());
    srk.at(srk.size() - 100) ^= static_cast<std::uint8_t>(number + 1);
    auto request = meter_.register_request();
    request.body = fmt::format(R"({{"tpm":{{"endorsementKey":"{}","storageRootKey":"{}"}}}})",
                               to_base64(world_.tpm_a.ek().tpm2b()), to_base64(srk));
    request.peer_address = std::move(address);
    return request;
  }

  World world_;
  const World::TestDevice& meter_ = world_.meter;
  const RegistrationId meter_1_ = RegistrationId::parse("meter-1").value();
};

TEST_F(DeviceApiTest, ProvisionsADeviceThatProvesItself) {
  const auto challenge = meter_.ask(meter_.register_request());
  EXPECT_EQ(challenge.status, 401);
  EXPECT_EQ(member(challenge, "keyName"), "registration");
  EXPECT_EQ(member(challenge, "status"), "absent");  // the C SDK would take it for an error
  EXPECT_EQ(member(challenge, "unencryptedAuthenticationKey"), "null");
  const auto key = meter_.open(challenge, "authenticationKey");
  ASSERT_TRUE(key);

  const auto token = meter_.sign(*key);
  const auto accepted = meter_.ask(meter_.register_request(token));
  EXPECT_EQ(accepted.status, 202);  // IoT Edge takes no other
  EXPECT_EQ(member(accepted, "status"), "assigning");
  EXPECT_TRUE(net::find_header(accepted.headers, "Retry-After"));
  const auto operation = member(accepted, "operationId");

  const auto assigned = meter_.ask(meter_.poll_request(operation, token));
  EXPECT_EQ(assigned.status, 200);
  EXPECT_EQ(member(assigned, "operationId"), operation);
  EXPECT_EQ(member(assigned, "status"), "assigned");
  EXPECT_EQ(member(assigned, "registrationState.registrationId"), "meter-1");
  EXPECT_EQ(member(assigned, "registrationState.deviceId"), "meter-1");
  EXPECT_EQ(member(assigned, "registrationState.assignedHub"), "hub.example");
  EXPECT_EQ(member(assigned, "registrationState.status"), "assigned");
  EXPECT_EQ(member(assigned, "registrationState.substatus"), "initialAssignment");
  const auto hub_key = meter_.open(assigned, "registrationState.tpm.authenticationKey");
  ASSERT_TRUE(hub_key);
  EXPECT_EQ(text_of(*hub_key), text_of(world_.stored_hub_key("meter-1")));
  EXPECT_NE(text_of(*hub_key), text_of(*key));
  EXPECT_EQ(audited("device.provision"), 1u);
  EXPECT_EQ(audited("assignment.collect"), 1u);
}

// The owner made another one each time; the device is the same.
TEST_F(DeviceApiTest, ProvisionsADeviceWithAStorageRootKeyOfEachKind) {
  for (const char* kind : {"p256", "p384", "rsa3072", "a"}) {
    const auto tpm = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a", kind);
    ASSERT_TRUE(tpm) << kind;
    const auto hub_key = world_.device(*tpm, "meter-1").provision();
    ASSERT_TRUE(hub_key) << kind << ": " << to_string(hub_key.error());
    EXPECT_EQ(text_of(*hub_key), text_of(world_.stored_hub_key("meter-1"))) << kind;
  }
  EXPECT_EQ(audited("device.provision"), 4u);
}

TEST_F(DeviceApiTest, ChangesNothingWhenItMakesAChallenge) {
  const auto before = world_.stored();
  EXPECT_EQ(meter_.ask(meter_.register_request()).status, 401);
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(world_.server.registrar.outstanding_challenges(), 1u);
}

TEST_F(DeviceApiTest, TakesASecondRequestWithoutTheTpmsKeys) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  auto request = meter_.register_request(token);
  request.body = R"({"registrationId":"METER-1","payload":{"any":[1,2]}})";  // as IoT Edge sends it
  EXPECT_EQ(meter_.ask(request).status, 202);
}

TEST_F(DeviceApiTest, TakesEveryApiVersionAndTheCaseOfEverySdk) {
  for (const std::string version : {"2017-08-31-preview", "2018-04-01", "2019-03-31", "2021-06-01", "2021-10-01"}) {
    auto request = meter_.register_request();
    request.target = "/0NE00000001/Registrations/Meter%2D1/register?api-version=" + version + "&forceRegistration=true";
    EXPECT_EQ(meter_.ask(request).status, 401) << version;
  }
}

TEST_F(DeviceApiTest, GivesTheSameOperationForTheSameTokenWhileItIsOpen) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  const auto operation = meter_.open_operation(token).value();
  const auto before = world_.stored();
  EXPECT_EQ(meter_.open_operation(token).value(), operation);
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceApiTest, GivesTheSameOperationThoughTheClockWentBack) {
  ASSERT_TRUE(meter_.provision());
  world_.clock.advance(-std::chrono::seconds(10));
  const auto token = meter_.sign(meter_.get_challenge().value());
  const auto operation = meter_.open_operation(token).value();
  const auto again = meter_.open_operation(token);
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(*again, operation);
  EXPECT_TRUE(meter_.collect(operation, token));
}

TEST_F(DeviceApiTest, RefusesTheTokenOnceTheResultWasFetchedAndRepeatsTheResult) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  const auto operation = meter_.open_operation(token).value();
  const auto first = meter_.collect(operation, token).value();
  const auto before = world_.stored();
  EXPECT_EQ(meter_.ask(meter_.register_request(token)).status, 401);
  EXPECT_EQ(text_of(meter_.collect(operation, token).value()), text_of(first));
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceApiTest, LetsTheOpeningTokenPollAfterItsExpiryAndNoOther) {
  const auto key = meter_.get_challenge().value();
  const auto token = meter_.sign(key, std::chrono::seconds(30));  // IoT Edge makes one for all its polls
  const auto other = meter_.sign(key, std::chrono::seconds(31));
  const auto operation = meter_.open_operation(token).value();
  world_.clock.advance(std::chrono::minutes(20));
  EXPECT_EQ(member(meter_.ask(meter_.poll_request(operation, other)), "info.code"), "token.expired");
  EXPECT_TRUE(meter_.collect(operation, token));
}

TEST_F(DeviceApiTest, LetsAnotherTokenOfTheSameKeyPoll) {
  const auto key = meter_.get_challenge().value();
  const auto operation = meter_.open_operation(meter_.sign(key)).value();
  EXPECT_TRUE(meter_.collect(operation, meter_.sign(key, std::chrono::hours(2))));
}

TEST_F(DeviceApiTest, KeepsTheResultForAnHourAndNotLonger) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  const auto operation = meter_.open_operation(token).value();
  world_.clock.advance(std::chrono::hours(1) - std::chrono::microseconds(1));
  EXPECT_EQ(meter_.ask(meter_.poll_request(operation, token)).status, 200);
  world_.clock.advance(std::chrono::microseconds(1));
  EXPECT_EQ(member(meter_.ask(meter_.poll_request(operation, token)), "info.code"), "operation.unknown");
}

// SDKs repeat requests, and a stranger may repeat a device's.
TEST_F(DeviceApiTest, GivesTheSameKeyAgainWhileItsChallengeIsYoung) {
  const auto first = meter_.ask(meter_.register_request());
  const auto second = meter_.ask(meter_.register_request());
  EXPECT_NE(member(first, "authenticationKey"), member(second, "authenticationKey")) << "encrypted anew";
  const auto key = meter_.open(first, "authenticationKey").value();
  EXPECT_EQ(text_of(meter_.open(second, "authenticationKey").value()), text_of(key));
  EXPECT_EQ(world_.server.challenges.size(), 1U);

  world_.clock.advance(std::chrono::seconds(151));
  const auto later = meter_.get_challenge().value();
  EXPECT_NE(text_of(later), text_of(key)) << "a TPM needs time";
  EXPECT_TRUE(meter_.open_operation(meter_.sign(key)));
  // Used up: another one is made, and the old one opens nothing.
  const auto after = meter_.get_challenge().value();
  EXPECT_NE(text_of(after), text_of(key));
  EXPECT_EQ(text_of(after), text_of(later));
}

// Where nodes share challenges, one that was used up is taken away in the background.
TEST_F(DeviceApiTest, GivesNoKeyAgainThatOpenedAnOperation) {
  const auto key = meter_.get_challenge().value();
  const auto used = world_.server.challenges.find(test::scope_id(), meter_1_, world_.clock.now()).value().at(0);
  ASSERT_TRUE(meter_.open_operation(meter_.sign(key)));
  ASSERT_TRUE(world_.server.challenges.add(test::scope_id(), meter_1_, used, world_.clock.now()));
  EXPECT_NE(text_of(meter_.get_challenge().value()), text_of(key));
}

// The EK is public, and anybody can make up storage root keys.
TEST_F(DeviceApiTest, AStrangerPushesOutNoChallengeOfADeviceThatIsKnown) {
  ASSERT_TRUE(meter_.provision());
  const auto key = meter_.get_challenge().value();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(meter_.ask(strangers_request(i, fmt::format("198.51.{}.7", i))).status, 401);
  }
  EXPECT_GT(world_.server.challenges.size(), 30U) << "they were made";
  EXPECT_TRUE(meter_.open_operation(meter_.sign(key)));
}

TEST_F(DeviceApiTest, AStrangerOfAnotherNetworkPushesOutNoFirstChallenge) {
  const auto key = meter_.get_challenge().value();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(meter_.ask(strangers_request(i, fmt::format("198.51.100.{}", i))).status, 401);
  }
  EXPECT_EQ(world_.server.challenges.size(), 3U);
  EXPECT_TRUE(meter_.open_operation(meter_.sign(key)));
}

TEST_F(DeviceApiTest, MakesAnotherKeyAtEachRegistrationAndKeepsWhenTheDeviceWasMade) {
  const auto first = meter_.provision().value();
  world_.clock.advance(std::chrono::hours(2));
  const auto token = meter_.sign(meter_.get_challenge().value());
  const auto operation = meter_.open_operation(token).value();
  const auto assigned = meter_.ask(meter_.poll_request(operation, token));
  EXPECT_EQ(member(assigned, "registrationState.substatus"), "deviceDataMigrated");
  EXPECT_EQ(member(assigned, "registrationState.createdDateTimeUtc"),
            to_rfc3339(world_.clock.now() - std::chrono::hours(2)));
  EXPECT_NE(text_of(meter_.open(assigned, "registrationState.tpm.authenticationKey").value()), text_of(first));
}

TEST_F(DeviceApiTest, TellsTheRegistrationToItsOwnerWithoutTheKey) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  EXPECT_EQ(member(meter_.ask(meter_.lookup_request(token)), "info.code"), "device.unknown");
  ASSERT_TRUE(meter_.open_operation(token));
  const auto state = meter_.ask(meter_.lookup_request(token));
  EXPECT_EQ(state.status, 200);
  EXPECT_EQ(member(state, "assignedHub"), "hub.example");
  EXPECT_EQ(member(state, "tpm"), "absent");
  EXPECT_EQ(meter_.ask(meter_.lookup_request("")).status, 401);
}

TEST_F(DeviceApiTest, TakesAChangedStorageRootKeyAndAuditsIt) {
  ASSERT_TRUE(meter_.provision());
  EXPECT_THAT(world_.stored(), Not(HasSubstr("\"srk_changed\":true")));
  const auto cleared = world_.device(world_.tpm_a_cleared, "meter-1");
  ASSERT_TRUE(cleared.provision());
  EXPECT_THAT(world_.stored(), HasSubstr("\"srk_changed\":true"));
}

TEST_F(DeviceApiTest, LetsTheHolderOfAnOldStorageRootKeyCollectNothingMore) {
  const auto old_token = meter_.sign(meter_.get_challenge().value());
  const auto old_operation = meter_.open_operation(old_token).value();
  const auto cleared = world_.device(world_.tpm_a_cleared, "meter-1");
  const auto token = cleared.sign(cleared.get_challenge().value());
  const auto operation = cleared.open_operation(token).value();

  EXPECT_EQ(member(meter_.ask(meter_.poll_request(old_operation, old_token)), "info.code"), "operation.superseded");
  EXPECT_EQ(member(meter_.ask(meter_.poll_request(operation, old_token)), "info.code"), "token.signature");
  const auto assigned = cleared.ask(cleared.poll_request(operation, token));
  EXPECT_TRUE(cleared.open(assigned, "registrationState.tpm.authenticationKey"));
  EXPECT_FALSE(meter_.open(assigned, "registrationState.tpm.authenticationKey"));
}

TEST_F(DeviceApiTest, OpensOneOperationWhenTwoRaceForOneChallenge) {
  for (int round = 0; round < 20; ++round) {
    world_.clock.advance(std::chrono::minutes(10));
    const auto key = meter_.get_challenge().value();
    const auto provisions = audited("device.provision");
    std::string operations[4];
    std::vector<std::thread> racers;
    for (int racer = 0; racer < 4; ++racer)
      racers.emplace_back([&, racer] {
        const auto opened = meter_.open_operation(meter_.sign(key, std::chrono::hours(1 + racer)));
        operations[racer] = opened ? *opened : to_string(opened.error());
      });
    for (auto& racer : racers)
      racer.join();
    for (const auto& operation : operations)
      EXPECT_EQ(operation, operations[0]);
    EXPECT_EQ(audited("device.provision"), provisions + 1);
    EXPECT_TRUE(meter_.collect(operations[0], meter_.sign(key)));
  }
}

}  // namespace
}  // namespace warifu::front::dps
