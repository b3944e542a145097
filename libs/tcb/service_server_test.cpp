#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/services_fixture_test.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using testing::SizeIs;

TEST_F(Services, SayNothingOfTheDeviceUntilTheServerIsProved) {
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
  ASSERT_EQ(device_.verify_server(), "");
  EXPECT_EQ(device_.ask(Identity{}), "");
}

TEST_F(Services, BelieveAProofForTenMinutesOnly) {
  ASSERT_EQ(device_.verify_server(), "");
  device_.clock.advance(std::chrono::minutes(10) - std::chrono::seconds(1));
  EXPECT_EQ(device_.ask(Identity{}), "");
  device_.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
  ASSERT_EQ(device_.verify_server(), "");
  device_.clock.advance(-std::chrono::seconds(1));
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified") << "the clock went back";
}

TEST_F(Services, UseANonceOnceAndOnlyTheLastOne) {
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(device_.organisation, device_.server, ServerNonce{})}),
            "tcb.nonce");
  const auto handshake = record_handshake(device_.organisation, device_.server, device_.begin());
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "");
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "tcb.nonce") << "used up";
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified") << "a check that fails ends the proof before it";

  const auto early = record_handshake(device_.organisation, device_.server, device_.begin());
  device_.begin();
  EXPECT_EQ(device_.ask(CheckServer{early}), "tcb.handshake.nonce") << "only the last one counts";
  EXPECT_EQ(device_.ask(CheckServer{early}), "tcb.nonce") << "and it was used up by the failure";
}

TEST_F(Services, LetANonceExpire) {
  const auto handshake = record_handshake(device_.organisation, device_.server, device_.begin());
  device_.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "tcb.nonce");
}

TEST_F(Services, KeepTheCallersApart) {
  const auto nonce = device_.begin(Caller::kAgent);
  ASSERT_EQ(device_.verify_server(Caller::kAdministrator), "");
  EXPECT_EQ(device_.ask(Identity{}, Caller::kAgent), "tcb.server.unverified");
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(device_.organisation, device_.server, nonce)}), "");
}

TEST_F(Services, DrawNoncesFromBothGenerators) {
  const auto first = device_.begin();
  EXPECT_NE(first, device_.begin());
  // One of the two may be broken.
  device_.tpm.constant_random = std::uint8_t{0};
  EXPECT_NE(device_.begin(), device_.begin());
}

TEST_F(Services, RefuseAServerOfAnotherOrganisation) {
  const TestOrganisation other;
  const TestIdentity stranger = other.server();
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(other, stranger, device_.begin())}), "crypto.path.issuer");
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
}

// A device that woke up in 1970: the certificate tells it how late it is at least.
TEST_F(Services, LearnTheTimeFromAServerThatWasProved) {
  device_.clock.set(Timestamp());
  ASSERT_EQ(device_.verify_server(), "");
  device_.restart();
  auto ended = device_.organisation.server_profile();
  ended.not_before = kTestNow - 100 * kTestDay;
  ended.not_after = kTestNow - kTestDay;  // after the program was built, before what the device knows now
  const TestIdentity former = device_.organisation.server(ended, crypto::KeyKind::kEcP256);
  const auto handshake = record_handshake(device_.organisation, former, device_.begin());
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "crypto.path.expired");
  // One that was not proved tells nothing.
  const TestOrganisation other;
  auto later = other.server_profile();
  later.not_before = kTestNow + 1000 * kTestDay;
  later.not_after = kTestNow + 1100 * kTestDay;
  const TestIdentity stranger = other.server(later, crypto::KeyKind::kEcP256);
  device_.ask(CheckServer{record_handshake(other, stranger, device_.begin())});
  EXPECT_EQ(device_.verify_server(), "");
}

TEST_F(Services, ProveAServerAlsoWhenTheDiskIsFull) {
  const auto nonce = device_.begin();
  device_.power.cut_at(5);  // the trust bundle, and reads of last-seen before it is written; nothing works afterwards
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(device_.organisation, device_.server, nonce)}), "");
  EXPECT_TRUE(device_.power.has_failed());
  EXPECT_THAT(device_.journal.warnings, SizeIs(1));
  device_.power.restore();
  EXPECT_EQ(device_.ask(Identity{}), "");
}

}  // namespace
}  // namespace warifu::tcb
