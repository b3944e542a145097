#include "net/address_counts.h"

#include <gtest/gtest.h>

namespace warifu::net {
namespace {

auto take(AddressCounts& counts, const char* address) {
  return counts.take(asio::ip::make_address(address));
}

TEST(AddressCounts, GivesEachAddressItsShareAndTakesItBack) {
  AddressCounts counts(2);
  auto first = take(counts, "192.0.2.1");
  const auto second = take(counts, "192.0.2.1");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(take(counts, "192.0.2.1"));
  EXPECT_TRUE(take(counts, "192.0.2.2"));
  first.reset();
  const auto again = take(counts, "192.0.2.1");
  EXPECT_TRUE(again);
  EXPECT_FALSE(take(counts, "192.0.2.1"));
}

TEST(AddressCounts, TakesANetworkOfIpv6ForOneHost) {
  AddressCounts counts(1);
  const auto first = take(counts, "2001:db8:0:1::1");
  EXPECT_TRUE(first);
  EXPECT_FALSE(take(counts, "2001:db8:0:1:ffff::2"));
  EXPECT_TRUE(take(counts, "2001:db8:0:2::1"));
}

TEST(AddressCounts, KnowsAnIpv4AddressInsideOfIpv6) {
  AddressCounts counts(1);
  const auto first = take(counts, "192.0.2.1");
  EXPECT_FALSE(take(counts, "::ffff:192.0.2.1"));
  EXPECT_TRUE(take(counts, "::ffff:192.0.2.2"));
}

TEST(AddressCounts, RefusesEverybodyWhenNobodyMayCome) {
  AddressCounts counts(0);
  EXPECT_FALSE(take(counts, "192.0.2.1"));
  EXPECT_FALSE(take(counts, "192.0.2.1"));
}

}  // namespace
}  // namespace warifu::net
