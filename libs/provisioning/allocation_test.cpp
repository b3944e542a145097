#include "provisioning/allocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace warifu::provisioning {
namespace {

constexpr int kDevices = 4'000;
const std::vector<std::string> kOwn = {"own-a.example", "own-b.example"};
const std::vector<std::string> kFour = {"hub-a.example", "hub-b.example", "hub-c.example", "hub-d.example"};

RegistrationId device(int number) {
  return RegistrationId::parse("meter-" + std::to_string(number)).value();
}

Terms with(std::vector<std::string> hubs, std::optional<Allocation> allocation = {}) {
  Terms terms;
  terms.hubs = std::move(hubs);
  terms.allocation = allocation;
  return terms;
}

std::vector<std::string> places(const Terms& terms) {
  std::vector<std::string> found;
  for (int i = 0; i < kDevices; ++i)
    found.push_back(allocate(terms, kOwn, device(i)).value());
  return found;
}

TEST(Allocation, IsRoughlyEven) {
  std::map<std::string, int> shares;
  for (const auto& hub : places(with(kFour)))
    ++shares[hub];
  ASSERT_EQ(shares.size(), kFour.size());
  // 1000 each; the standard deviation is 27.
  for (const auto& [hub, share] : shares)
    EXPECT_NEAR(share, kDevices / 4, 5 * 27) << hub;
}

TEST(Allocation, StaysWhereTheHubsStayWhateverTheirOrder) {
  auto reversed = kFour;
  std::ranges::reverse(reversed);
  EXPECT_EQ(places(with(kFour)), places(with(reversed)));
}

// Devices come back for years, to servers of every later release: SHA-256 of hub, line feed and registration ID, the
// greatest wins. Computed with `printf '%s\n%s' HUB ID | sha256sum`.
TEST(Allocation, IsTheSameInEveryRelease) {
  EXPECT_EQ(allocate(with(kFour), kOwn, device(0)).value(), "hub-d.example");
  EXPECT_EQ(allocate(with(kFour), kOwn, device(1)).value(), "hub-c.example");
  EXPECT_EQ(allocate(with(kFour), kOwn, device(2)).value(), "hub-d.example");
}

TEST(Allocation, MovesOnlyTheShareOfAHubThatGoesOrComes) {
  const auto before = places(with(kFour));
  const auto after = places(with({kFour[0], kFour[1], kFour[3]}));
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] != kFour[2]) {
      EXPECT_EQ(after[i], before[i]) << i;
    }
    moved += before[i] != after[i] ? 1 : 0;
  }
  EXPECT_EQ(moved, std::ranges::count(before, kFour[2]));
  EXPECT_GT(moved, 0);
}

TEST(Allocation, UsesTheServersOwnHubsWhereTheTermsNameNone) {
  for (const auto& hub : places(with({})))
    EXPECT_THAT(kOwn, testing::Contains(hub));
  EXPECT_EQ(allocate(with({}, Allocation::kStatic), kOwn, device(1)).value(), kOwn.front());
  for (const auto& hub : places(with({"hub-a.example"})))
    EXPECT_EQ(hub, "hub-a.example");
}

TEST(Allocation, StaticIsTheOneHub) {
  for (const auto& hub : places(with({"hub-z.example"}, Allocation::kStatic)))
    EXPECT_EQ(hub, "hub-z.example");
  EXPECT_EQ(places(with(kFour, Allocation::kStatic)), std::vector<std::string>(kDevices, kFour.front()));
}

TEST(Allocation, GeoLatencyIsHashedAsLongAsNobodyMeasures) {
  EXPECT_EQ(places(with(kFour, Allocation::kGeoLatency)), places(with(kFour, Allocation::kHashed)));
}

TEST(Allocation, RefusesToChooseInPlaceOfAWebhook) {
  for (const auto& hubs : {std::vector<std::string>(), std::vector<std::string>{"hub-a.example"}, kFour}) {
    const auto hub = allocate(with(hubs, Allocation::kCustom), kOwn, device(1));
    ASSERT_FALSE(hub);
    EXPECT_EQ(hub.error().kind, ErrorKind::kRefused);
    EXPECT_EQ(hub.error().code, "enrollment.allocation");
  }
}

}  // namespace
}  // namespace warifu::provisioning
