// A full disk refuses new registrations in the protocol's own words, harms none that stands, and is over when there is
// room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulated_site.h"

namespace warifu::scenarios {
namespace {

class DiskFullTest : public ::testing::Test {
 protected:
  DiskFullTest() {
    EXPECT_TRUE(site_.start());
    site_.make_scope_with(2);
  }

  // Registers until the disk has no room; gives the token that was refused.
  std::string fill_with(const TestDevice& device) {
    site_.disk().set_free_bytes(30'000);
    for (int round = 0; round < 100; ++round) {
      const auto token = device.sign(device.get_challenge().value());
      const auto answer = device.ask(device.register_request(token));
      if (answer.status != 202) {
        refusal_ = answer;
        return token;
      }
    }
    return {};
  }

  SimulatedSite site_{1};
  net::HttpResponse refusal_;
};

TEST_F(DiskFullTest, IsToldToTheDeviceInItsOwnProtocol) {
  ASSERT_FALSE(fill_with(site_.device(1)).empty());
  EXPECT_EQ(refusal_.status, 503);
  EXPECT_EQ(member(refusal_, "errorCode"), "503000");
  EXPECT_EQ(member(refusal_, "info.stage"), "store");
  EXPECT_EQ(member(refusal_, "info.code"), "store.full");
  EXPECT_TRUE(Uuid::parse(member(refusal_, "trackingId")));
  EXPECT_TRUE(net::find_header(refusal_.headers, "Retry-After"));
}

TEST_F(DiskFullTest, HarmsNoDeviceThatStands) {
  const auto device = site_.device(0);
  const auto token = device.sign(device.get_challenge().value());
  const auto operation = device.open_operation(token).value();
  const auto key = device.collect(operation, token).value();
  ASSERT_FALSE(fill_with(site_.device(1)).empty());
  const auto again = device.collect(operation, token);
  ASSERT_TRUE(again);
  EXPECT_TRUE(equal_constant_time(again->reveal(), key.reveal()));
  EXPECT_EQ(device.ask(device.register_request()).status, 401) << "a challenge needs no room";
}

TEST_F(DiskFullTest, IsOverWhenThereIsRoomAndTheSameTokenIsTaken) {
  const auto device = site_.device(1);
  const auto token = fill_with(device);
  ASSERT_FALSE(token.empty());
  EXPECT_EQ(device.ask(device.register_request(token)).status, 503);
  site_.disk().set_unlimited();
  const auto operation = device.open_operation(token);
  ASSERT_TRUE(operation) << to_string(operation.error());
  EXPECT_TRUE(device.collect(*operation, token));
  site_.lose_power(3);
  ASSERT_TRUE(site_.start());
  EXPECT_TRUE(site_.device(1).collect(*operation, token));
}

}  // namespace
}  // namespace warifu::scenarios
