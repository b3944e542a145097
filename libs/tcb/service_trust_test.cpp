// What the TCB does with a trust bundle: whom it believes, what time it is, what it says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/system_entropy.h"
#include "tcb/services_fixture_test.h"
#include "tcb/test_bundle.h"
#include "tcb_protocol/limits.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using testing::SizeIs;
using trust_bundle::Contents;

class TrustServices : public Services {
 protected:
  Contents first() const { return first_bundle(device_.organisation, escrow_, revocation_); }
  static std::string signed_by(const Contents& contents, std::initializer_list<const crypto::PrivateKey*> keys) {
    return signed_bundle(contents, keys).to_json();
  }
  std::string by_root(const Contents& contents) const {
    return signed_by(contents, {&device_.organisation.root().key});
  }
  Contents next(const Contents& contents) const {
    auto after = contents.clone();
    ++after.version;
    return after;
  }
  // In one part.
  std::string follow(const std::string& json, Caller caller = Caller::kAgent) {
    return device_.ask(FollowTrustBundle{static_cast<std::uint32_t>(json.size()), 0, to_bytes(as_bytes(json))}, caller);
  }
  TrustBundle::Answer shown() { return device_.service->handle(Caller::kAgent, TrustBundle{}).value(); }
  std::string check(const TestOrganisation& organisation, const TestIdentity& server) {
    return device_.ask(CheckServer{record_handshake(organisation, server, device_.begin())});
  }
  Contents revoking(const Contents& contents, const TestIdentity& identity, std::string_view role) const {
    auto after = next(contents);
    after.revoked.push_back({listed(identity).key, role_name(role), kTestNow, trust_bundle::Reason::kKeyCompromise});
    return after;
  }

  const crypto::PrivateKey revocation_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  const TestIdentity escrow_ =
      device_.organisation.under_root(device_.organisation.escrow_profile(), crypto::KeyKind::kEcP384);
};

TEST_F(TrustServices, ShowThePinnedRootUntilThereIsABundle) {
  EXPECT_EQ(shown().version, 0U);
  EXPECT_EQ(shown().root_count, 1);
  const auto root = device_.organisation.root().certificate.to_der();
  EXPECT_EQ(device_.service->handle(Caller::kAgent, TrustedRoot{0})->certificate, root);
  EXPECT_EQ(device_.ask(TrustedRoot{1}), "tcb.trust.root");
  ASSERT_EQ(follow(by_root(first())), "");
  EXPECT_EQ(shown().version, 1U);
  EXPECT_EQ(shown().at_least, 1U);
  EXPECT_THAT(shown().digest, SizeIs(32));
  EXPECT_FALSE(shown().is_expired);
  EXPECT_EQ(device_.service->handle(Caller::kAgent, TrustedRoot{0})->certificate, root);
  EXPECT_EQ(device_.ask(TrustedRoot{1}), "tcb.trust.root");
}

TEST_F(TrustServices, BelieveServersOfTheBundlesRoleAndNoOthersOfTheRoot) {
  auto other_role = crypto::CertificateProfile{.common_name = "Example peer-communication",
                                               .not_before = kTestNow - kTestDay,
                                               .not_after = kTestNow + 300 * kTestDay,
                                               .is_ca = true,
                                               .path_length = 0};
  const auto peers = device_.organisation.under_root(other_role, crypto::KeyKind::kEcP384);
  auto contents = first();
  contents.roles.push_back(bundle_role("peer-communication", peers));
  const auto json = by_root(contents);
  ASSERT_EQ(follow(json), "");
  EXPECT_EQ(device_.verify_server(), "");
  crypto::SystemEntropy entropy;
  auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  auto certificate = crypto::issue_certificate(device_.organisation.server_profile(), key.public_key(),
                                               &peers.certificate, peers.key, entropy);
  const TestIdentity posing{std::move(certificate).value(), std::move(key)};
  EXPECT_EQ(check(device_.organisation, posing), "crypto.path.issuer") << "a leaf of another role of the same root";
  const TestIdentity by_root_itself =
      device_.organisation.under_root(device_.organisation.server_profile(), crypto::KeyKind::kEcP256);
  EXPECT_EQ(check(device_.organisation, by_root_itself), "crypto.path.issuer") << "a stolen root makes nobody a server";
  auto elsewhere = device_.organisation.server_profile();
  elsewhere.dns_names = {"elsewhere.example"};
  EXPECT_EQ(check(device_.organisation, device_.organisation.server(elsewhere, crypto::KeyKind::kEcP256)),
            "crypto.path.name");
}

// The drill "stolen role key".
TEST_F(TrustServices, RefuseAServerWhoseRoleIsRevokedByItsOwnCodeAndForgetWhatItProved) {
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(device_.verify_server(), "");
  ASSERT_EQ(device_.ask(Identity{}), "");
  const auto after = revoking(first(), device_.organisation.role(), "server-communication");
  ASSERT_EQ(follow(signed_by(after, {&revocation_})), "") << "by the master revocation key alone";
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified") << "what it proved before counts no more";
  EXPECT_EQ(device_.verify_server(), "tcb.server.revoked");
  device_.restart();
  EXPECT_EQ(device_.verify_server(), "tcb.server.revoked");
}

// The TPM's last answer is lost, and what it did counts.
TEST_F(TrustServices, ForgetWhatWasProvedWhenABundleIsFollowedHalfWay) {
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(device_.verify_server(), "");
  ASSERT_EQ(device_.ask(Identity{}), "");
  const auto counter = device_.tpm.nv.counter;
  const auto after = revoking(first(), device_.organisation.role(), "server-communication");
  device_.power.cut_at(7);  // two steps of the file, one that reads the counter, two of the anchor; the counter's last
  EXPECT_EQ(follow(signed_by(after, {&revocation_})), "test.power");
  device_.power.restore();
  ASSERT_NE(device_.tpm.nv.counter, counter);
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
  EXPECT_EQ(device_.verify_server(), "tcb.server.revoked");
}

// The TPM did it, the bus lost its answer, and the next look finds the bundle that follows.
TEST_F(TrustServices, ForgetWhatWasProvedWhenABundleIsFollowedAndTheAnswerIsLost) {
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(device_.verify_server(), "");
  device_.tpm.nv.raise_answer = Error{ErrorKind::kUnavailable, "test.bus", "the answer is torn"};
  const auto after = revoking(first(), device_.organisation.role(), "server-communication");
  EXPECT_EQ(follow(signed_by(after, {&revocation_})), "test.bus");
  EXPECT_EQ(shown().version, 2U);
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
  EXPECT_EQ(device_.verify_server(), "tcb.server.revoked");
}

// It stays with what it has, and whoever passed by that is believed on: else no contact would ever come to its end.
TEST_F(TrustServices, BelieveTheServerOnWhenTheTpmCannotRememberTheNextBundle) {
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(device_.verify_server(), "");
  const auto after = by_root(next(first()));
  device_.tpm.nv.refuses = Error{ErrorKind::kRefused, "tpm.auth", "a wrong owner's auth"};
  for (int contact = 1; contact <= 2; ++contact) {
    EXPECT_EQ(follow(after), "tpm.auth") << contact;
    EXPECT_EQ(device_.ask(Identity{}), "") << contact;
    EXPECT_EQ(shown().version, 1U) << contact;
  }
  device_.tpm.nv.refuses.reset();
  EXPECT_EQ(follow(after), "");
  EXPECT_EQ(shown().version, 2U);
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
}

TEST_F(TrustServices, BelieveTheServerOnWhenTheDiskIsFull) {
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(device_.verify_server(), "");
  const auto after = by_root(next(first()));
  device_.files.refuses = Error{ErrorKind::kUnavailable, "file.write", "the disk is full"};
  EXPECT_EQ(follow(after), "file.write");
  EXPECT_EQ(device_.ask(Identity{}), "");
  EXPECT_EQ(shown().version, 1U);
  device_.files.refuses.reset();
  EXPECT_EQ(follow(after), "");
  EXPECT_EQ(shown().version, 2U);
}

TEST_F(TrustServices, RefuseAServerWhoseRootIsRevoked) {
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(follow(signed_by(revoking(first(), device_.organisation.root(), "root"), {&revocation_})), "");
  EXPECT_NE(device_.verify_server(), "");
}

// The drill "root rotation": the root that is pinned counts until it is taken out of the bundle.
TEST_F(TrustServices, FollowToAnotherRoot) {
  const TestOrganisation renewed;
  const auto server = renewed.server();
  EXPECT_EQ(check(renewed, server), "crypto.path.issuer");
  ASSERT_EQ(follow(by_root(first())), "");
  auto both = next(first());
  both.roots.push_back(listed(renewed.root()));
  both.roles[0].certificates.push_back(listed(renewed.role()));
  both.signing = only(renewed.root().key);
  ASSERT_EQ(follow(by_root(both)), "bundle.signatures") << "the new root signs, too";
  ASSERT_EQ(follow(signed_by(both, {&device_.organisation.root().key, &renewed.root().key})), "");
  EXPECT_EQ(device_.verify_server(), "");
  EXPECT_EQ(check(renewed, server), "");
  EXPECT_EQ(shown().root_count, 2);
  EXPECT_EQ(device_.service->handle(Caller::kAgent, TrustedRoot{1})->certificate, renewed.root().certificate.to_der());
  auto finished = next(both);
  finished.roots.erase(finished.roots.begin());
  finished.roles.erase(finished.roles.begin() + 1, finished.roles.end());
  finished.roles[0].certificates.erase(finished.roles[0].certificates.begin());
  ASSERT_EQ(follow(signed_by(finished, {&renewed.root().key})), "");
  device_.restart();
  EXPECT_EQ(check(renewed, server), "");
  EXPECT_EQ(device_.verify_server(), "crypto.path.issuer") << "the pinned root is no root any more";
}

// The drill "clock set back": a device that woke up in 1970 knows how late it is from the bundle.
TEST_F(TrustServices, LearnTheTimeFromTheBundle) {
  auto ended = device_.organisation.server_profile();
  ended.not_before = kTestNow - 100 * kTestDay;
  ended.not_after = kTestNow + kTestDay;  // after the program was built
  const TestIdentity former = device_.organisation.server(ended, crypto::KeyKind::kEcP256);
  auto later = first();
  later.issued_at = kTestNow + 2 * kTestDay;
  device_.clock.set(Timestamp());
  ASSERT_EQ(check(device_.organisation, former), "");
  ASSERT_EQ(follow(by_root(later)), "");
  EXPECT_EQ(check(device_.organisation, former), "crypto.path.expired");
  device_.files.files.erase("last-seen");  // whoever takes that away changes nothing
  device_.restart();
  EXPECT_EQ(check(device_.organisation, former), "crypto.path.expired");
}

// The drill "freeze": nobody could mend a device that believes nobody, so it goes on, and says so.
TEST_F(TrustServices, GoOnWithABundleThatHasEndedAndSaySo) {
  ASSERT_EQ(follow(by_root(first())), "");
  EXPECT_FALSE(shown().is_expired);
  device_.clock.advance(31 * kTestDay);
  EXPECT_TRUE(shown().is_expired);
  EXPECT_TRUE(shown().is_expired);
  EXPECT_THAT(device_.journal.warnings, SizeIs(1)) << "once for each bundle";
  EXPECT_EQ(device_.verify_server(), "");
  auto after = next(first());
  after.expires_at = kTestNow + 300 * kTestDay;
  ASSERT_EQ(follow(by_root(after)), "");
  EXPECT_FALSE(shown().is_expired);
}

// The drill "clock set back" for a freeze: with the clock in the past it counts as the day of issue.
TEST_F(TrustServices, TakeADayThatIsBeforeTheBundleForTheDayOfIssue) {
  ASSERT_EQ(follow(by_root(first())), "");
  device_.clock.advance(-300 * kTestDay);
  EXPECT_FALSE(shown().is_expired);
  EXPECT_EQ(device_.verify_server(), "");
}

// The drill "bundle rollback".
TEST_F(TrustServices, BelieveNoServerWithAnOldStateFolder) {
  ASSERT_EQ(follow(by_root(first())), "");
  const auto old = device_.files.files;
  const auto after = revoking(first(), device_.organisation.role(), "server-communication");
  ASSERT_EQ(follow(signed_by(after, {&revocation_})), "");
  device_.files.files = old;
  device_.restart();
  EXPECT_EQ(device_.verify_server(), "bundle.rollback") << "the thief's server would pass by the old bundle";
  EXPECT_EQ(shown().version, 0U);
  EXPECT_EQ(shown().at_least, 2U);
  EXPECT_EQ(follow(by_root(first())), "bundle.rollback");
  EXPECT_EQ(follow(signed_by(after, {&revocation_})), "");
  EXPECT_EQ(device_.verify_server(), "tcb.server.revoked");
}

TEST_F(TrustServices, ForgetTheBundleWithAClearThatTheAdministratorAskedFor) {
  device_.tpm.lockout_auth = Bytes(8, 1);
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(device_.ask(Clear{SecretBytes::copy_of(Bytes(8, 1))}, Caller::kAdministrator), "");
  EXPECT_EQ(shown().version, 0U);
  EXPECT_EQ(shown().at_least, 0U);
  EXPECT_EQ(device_.verify_server(), "") << "by the pinned root, like a new device";
}

TEST_F(TrustServices, TakeABundleInPartsOfEachCaller) {
  const std::string json = by_root(first());
  const auto part = [&](Caller caller, std::size_t at, std::size_t count) {
    return device_.service->handle(
        caller, FollowTrustBundle{static_cast<std::uint32_t>(json.size()), static_cast<std::uint32_t>(at),
                                  to_bytes(as_bytes(json).subspan(at, count))});
  };
  const auto in_parts = [&](std::size_t size) {
    for (std::size_t at = 0; at < json.size(); at += size) {
      const auto answer = part(Caller::kAgent, at, std::min(size, json.size() - at));
      ASSERT_TRUE(answer) << to_string(answer.error());
      EXPECT_EQ(answer->is_complete, at + size >= json.size());
      // The other caller's parts are its own.
      EXPECT_FALSE(part(Caller::kAdministrator, 0, 1)->is_complete);
    }
  };
  in_parts(1000);
  EXPECT_EQ(shown().version, 1U);
  EXPECT_FALSE(part(Caller::kAgent, 0, json.size())->is_new);
  // Neither with a gap, nor backwards, nor more than was said, nor more than there can be; afterwards all begins anew.
  ASSERT_TRUE(part(Caller::kAgent, 0, 10));
  EXPECT_EQ(part(Caller::kAgent, 11, 10).error().code, "tcb.trust.part");
  EXPECT_EQ(part(Caller::kAgent, 10, 10).error().code, "tcb.trust.part");
  ASSERT_TRUE(part(Caller::kAgent, 0, 10));
  EXPECT_EQ(part(Caller::kAgent, 5, 10).error().code, "tcb.trust.part");
  EXPECT_EQ(device_.ask(FollowTrustBundle{3, 0, Bytes(4)}), "tcb.trust.part");
  EXPECT_EQ(device_.ask(FollowTrustBundle{kBundleSizeMax + 1, 0, Bytes(4)}), "tcb.trust.part");
  EXPECT_EQ(device_.ask(FollowTrustBundle{4, 0, Bytes(4)}), "json.syntax");
}

TEST_F(TrustServices, EncryptTheLockoutPasswordToTheBundlesEscrowOnly) {
  const auto other = device_.organisation.under_root(device_.organisation.escrow_profile(), crypto::KeyKind::kEcP384);
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(device_.verify_server(), "");
  EXPECT_EQ(device_.ask(Own{{other.certificate.to_der()}}), "tcb.escrow.untrusted");
  EXPECT_FALSE(device_.tpm.lockout_auth);
  EXPECT_EQ(device_.ask(Own{{escrow_.certificate.to_der()}}), "");
  EXPECT_TRUE(device_.tpm.lockout_auth);
}

TEST_F(TrustServices, EncryptNothingToAnEscrowThatIsRevoked) {
  ASSERT_EQ(follow(by_root(first())), "");
  ASSERT_EQ(follow(signed_by(revoking(first(), escrow_, "escrow"), {&revocation_})), "");
  ASSERT_EQ(device_.verify_server(), "");
  EXPECT_EQ(device_.ask(Own{{escrow_.certificate.to_der()}}), "tcb.escrow.untrusted");
}

}  // namespace
}  // namespace warifu::tcb
