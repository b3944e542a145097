#include "ceremony/bundle_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "keystore/files.h"
#include "keystore/journal.h"
#include "sim/deterministic.h"

namespace warifu::ceremony {
namespace {

using pki::Role;
using std::chrono::days;
using trust_bundle::Reason;
using trust_bundle::RoleName;
using trust_bundle::TrustedBundle;

class BundleDeskTest : public testing::Test {
 protected:
  // With a certificate of the root for a new key.
  crypto::Certificate certify(Role role) {
    const auto kind = role == Role::kEndpointIdentity ? crypto::KeyKind::kEcP256 : crypto::KeyKind::kEcP384;
    return root_.certify(role, crypto::PrivateKey::generate(kind).public_key(), clock_, entropy_).value();
  }
  std::map<Role, crypto::Certificate> certified(std::initializer_list<Role> roles) {
    std::map<Role, crypto::Certificate> certificates;
    for (const Role role : roles)
      certificates.emplace(role, certify(role));
    return certificates;
  }
  TrustedBundle newest() const { return shelf_.newest().value().value(); }
  std::size_t certificates_of(Role role) const {
    return newest().role_certificates(RoleName::parse(to_string(role)).value()).size();
  }

  const TempDir folder_;
  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  const RootFolder root_ =
      RootFolder::create(folder_.path() / "root", {"Example", crypto::EcCurve::kP384, {1024, 1, 1}},
                         SecretBytes(Bytes(32, 'p')), clock_, entropy_)
          .value();
  const BundleShelf shelf_{root_.bundles()};
  const BundleDesk desk_{root_, clock_};
};

TEST_F(BundleDeskTest, PublishesTheFirstAndWhatFollows) {
  EXPECT_FALSE(shelf_.newest().value());
  ASSERT_TRUE(desk_.publish(certified({Role::kServerCommunication, Role::kEscrow})));
  EXPECT_EQ(newest().version(), 1U);
  EXPECT_EQ(newest().contents().expires_at, clock_.now() + kBundleLifetime);
  clock_.advance(days(30));
  ASSERT_TRUE(desk_.publish(certified({Role::kEndpointIdentity}), days(10)));
  EXPECT_EQ(newest().version(), 2U);
  EXPECT_EQ(newest().contents().expires_at, clock_.now() + days(10));
  for (const Role role : {Role::kServerCommunication, Role::kEscrow, Role::kEndpointIdentity})
    EXPECT_EQ(certificates_of(role), 1U) << to_string(role);
  // Whoever pins the root believes the first and follows.
  const auto envelopes = shelf_.read().value();
  const auto begun = TrustedBundle::begin(envelopes.at(0), root_.certificate()).value();
  EXPECT_EQ(begun.advance_through(std::span(envelopes).subspan(1)).reached.digest(), newest().digest());
}

TEST_F(BundleDeskTest, ListsOneCertificateOfAKeyAndEveryKeyOfARole) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  for (int i = 0; i < 2; ++i) {
    std::map<Role, crypto::Certificate> again;
    again.emplace(Role::kEscrow, root_.certify(Role::kEscrow, key.public_key(), clock_, entropy_).value());
    ASSERT_TRUE(desk_.publish(again));
    EXPECT_EQ(certificates_of(Role::kEscrow), 1U);
  }
  ASSERT_TRUE(desk_.publish(certified({Role::kEscrow})));
  EXPECT_EQ(certificates_of(Role::kEscrow), 2U) << "what was deposited for the old key is still opened by it";
}

TEST_F(BundleDeskTest, RevokesARoleAndPutsAnotherKeyInItsPlace) {
  EXPECT_EQ(desk_.revoke(Role::kEscrow, Reason::kKeyCompromise).error().code, "root.bundles");
  ASSERT_TRUE(desk_.publish(certified({Role::kServerCommunication, Role::kCodeSigning})));
  EXPECT_EQ(desk_.revoke(Role::kEscrow, Reason::kKeyCompromise).error().code, "root.role");
  const auto end = newest().contents().expires_at;
  clock_.advance(days(1));
  ASSERT_TRUE(desk_.revoke(Role::kCodeSigning, Reason::kKeyCompromise));
  EXPECT_EQ(certificates_of(Role::kCodeSigning), 0U);
  EXPECT_EQ(certificates_of(Role::kServerCommunication), 1U);
  EXPECT_EQ(newest().contents().expires_at, end) << "who revokes moves nothing else";
  EXPECT_EQ(desk_.revoke(Role::kCodeSigning, Reason::kKeyCompromise).error().code, "root.role");
  ASSERT_TRUE(desk_.publish(certified({Role::kCodeSigning})));
  EXPECT_EQ(certificates_of(Role::kCodeSigning), 1U);
}

TEST_F(BundleDeskTest, RevokesAlsoAfterTheEnd) {
  ASSERT_TRUE(desk_.publish(certified({Role::kCodeSigning}), days(5)));
  clock_.advance(days(50));
  ASSERT_TRUE(desk_.revoke(Role::kCodeSigning, Reason::kCessation));
  EXPECT_EQ(certificates_of(Role::kCodeSigning), 0U);
  EXPECT_FALSE(newest().check_fresh(clock_.now()));
}

TEST_F(BundleDeskTest, NotesABundleBeforeItIsOnTheShelf) {
  const auto lines = [&] {
    return keystore::Journal(keystore::kernel_files(), (folder_.path() / "root/journal").string()).check().value();
  };
  const auto before = lines();
  ASSERT_TRUE(desk_.publish({}));
  EXPECT_EQ(lines(), before + 1);
  ASSERT_TRUE(keystore::write_file(folder_.path() / "root/journal/journal-00000001.jsonl", as_bytes("x\nx\n"),
                                   FileMode::kPrivate));
  EXPECT_EQ(desk_.publish({}).error().code, "journal.broken");
  EXPECT_EQ(newest().version(), 1U);
}

TEST_F(BundleDeskTest, PutsNothingOnTheShelfThatDoesNotFollow) {
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(desk_.publish({}));
  const auto envelopes = shelf_.read().value();
  EXPECT_EQ(shelf_.add(envelopes.at(0)).error().code, "bundle.rollback");
  EXPECT_TRUE(shelf_.add(envelopes.at(2))) << "the newest itself is nothing new";
  EXPECT_EQ(shelf_.read()->size(), 3U);
  const BundleShelf copy(folder_.path() / "copy");
  ASSERT_TRUE(shelf_.copy_to(folder_.path() / "copy"));
  EXPECT_EQ(copy.newest().value().value().digest(), newest().digest());
  ASSERT_TRUE(std::filesystem::remove(folder_.path() / "copy/00000002.json"));
  EXPECT_EQ(copy.newest().error().code, "root.bundles");
}

}  // namespace
}  // namespace warifu::ceremony
