#include "net/peer_network.h"

#include <gtest/gtest.h>

namespace warifu::net {
namespace {

TEST(PeerNetwork, IsTheWholeIpv4Address) {
  EXPECT_EQ(peer_network("192.0.2.1"), std::string("\xC0\x00\x02\x01", 4));
  EXPECT_NE(peer_network("192.0.2.1"), peer_network("192.0.2.2"));
}

TEST(PeerNetwork, IsTheSixtyFourOfAnIpv6Address) {
  EXPECT_EQ(peer_network("2001:db8:1:2::1"), peer_network("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(peer_network("2001:db8:1:2::1"), peer_network("2001:db8:1:3::1"));
  EXPECT_EQ(peer_network("fe80::1%1"), peer_network("fe80::2%1"));
  EXPECT_EQ(peer_network("2001:db8::1").size(), 8u);
}

// A listener on [::] sees every IPv4 client so.
TEST(PeerNetwork, IsTheIpv4AddressInsideIpv6) {
  EXPECT_EQ(peer_network("::ffff:192.0.2.1"), peer_network("192.0.2.1"));
  EXPECT_NE(peer_network("::ffff:192.0.2.1"), peer_network("::ffff:192.0.2.2"));
  EXPECT_EQ(peer_network("64:ff9b::c000:201"), peer_network("192.0.2.1"));
  EXPECT_NE(peer_network("64:ff9b:1::c000:201"), peer_network("192.0.2.1"));
}

TEST(PeerNetwork, IsTheTextOfWhatIsNoAddress) {
  EXPECT_EQ(peer_network(""), std::string(1, '\0'));
  EXPECT_NE(peer_network("abcd"), peer_network("97.98.99.100"));
}

TEST(PeerSite, IsTheTwentyFourOfAnIpv4AddressAndTheFortyEightOfAnIpv6Address) {
  EXPECT_EQ(peer_site("192.0.2.1"), std::string("\xC0\x00\x02", 3));
  EXPECT_EQ(peer_site("::ffff:192.0.2.77"), peer_site("192.0.2.1"));
  EXPECT_NE(peer_site("192.0.3.1"), peer_site("192.0.2.1"));
  EXPECT_EQ(peer_site("2001:db8:1:2::1"), peer_site("2001:db8:1:ffff::1"));
  EXPECT_NE(peer_site("2001:db8:1:2::1"), peer_site("2001:db8:2:2::1"));
  EXPECT_EQ(peer_site("2001:db8::1").size(), 6u);
  EXPECT_EQ(peer_site("no address"), peer_network("no address"));
  EXPECT_NE(peer_site("7 bytesA"), peer_site("7 bytesB"));
}

}  // namespace
}  // namespace warifu::net
