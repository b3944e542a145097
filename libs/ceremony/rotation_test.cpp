// A new root in the place of the old one: what is signed by whom, what stands after a power cut at each step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "ceremony/bundle_desk.h"
#include "keystore/files.h"
#include "signing_keys/key_file.h"
#include "sim/deterministic.h"

namespace warifu::ceremony {
namespace {

using pki::Role;
using testing::SizeIs;
using trust_bundle::RoleName;
using trust_bundle::TrustedBundle;

const signing_keys::Argon2idCost kCheap{1024, 1, 1};

class RotationTest : public testing::Test {
 protected:
  RotationTest() {
    const auto root =
        RootFolder::create(path(), {"Example", crypto::EcCurve::kP384, kCheap}, secret_, clock_, entropy_);
    std::map<Role, crypto::Certificate> certificates;
    for (const Role role : {Role::kServerCommunication, Role::kEndpointIdentity}) {
      const auto kind = role == Role::kEndpointIdentity ? crypto::KeyKind::kEcP256 : crypto::KeyKind::kEcP384;
      const auto key = crypto::PrivateKey::generate(kind);
      certificates.emplace(role, root->certify(role, key.public_key(), clock_, entropy_).value());
    }
    EXPECT_TRUE(BundleDesk(*root, clock_).publish(certificates));
    first_.push_back(root->certificate().clone());
  }
  std::filesystem::path path() const { return folder_.path() / "root"; }
  Result<RootFolder> open() const { return RootFolder::open(path(), secret_); }
  TrustedBundle newest() const { return shelf_.newest().value().value(); }
  // The root that counts after it.
  crypto::Certificate rotate() {
    {
      const auto root = open().value();
      const auto next = root.prepare_next(secret_, clock_, entropy_).value();
      EXPECT_TRUE(BundleDesk(root, clock_).rotate_to(next, entropy_));
      EXPECT_TRUE(next.adopt());
    }
    return open()->certificate().clone();
  }
  // Up to the bundle, and no further: the root that is next.
  crypto::Certificate cut_at_the_bundle() {
    const auto root = open().value();
    const auto next = root.prepare_next(secret_, clock_, entropy_).value();
    EXPECT_TRUE(BundleDesk(root, clock_).rotate_to(next, entropy_));
    return next.certificate().clone();
  }
  Bytes opened() const { return open()->certificate().to_der(); }
  Bytes described() const { return RootFolder::describe(path())->certificate.to_der(); }
  Status finish() {
    const auto root = open().value();
    return BundleDesk(root, clock_).finish_rotation();
  }
  std::vector<crypto::Certificate> servers() const {
    return newest().role_certificates(RoleName::parse("server-communication").value());
  }
  std::vector<std::string> folders_of_keys() const {
    auto names = keystore::kernel_files().list(path().string()).value();
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("keys-"); });
    return names;
  }

  const TempDir folder_;
  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  const SecretBytes secret_{Bytes(32, 'p')};
  const bundle_shelf::BundleShelf shelf_{path() / "bundles"};
  std::vector<crypto::Certificate> first_;
};

TEST_F(RotationTest, PutsANewRootBesideTheOldOneThatCertifiesTheSameKeys) {
  const auto old_key = servers().front().public_key().value();
  const auto renewed = rotate();
  EXPECT_EQ(renewed.common_name(), "Example root 2");
  ASSERT_THAT(newest().roots(), SizeIs(2));
  EXPECT_EQ(newest().roots()[0].to_der(), first_.front().to_der()) << "the old one first";
  ASSERT_THAT(servers(), SizeIs(2));
  for (const auto& certificate : servers())
    EXPECT_EQ(certificate.public_key().value(), old_key);
  EXPECT_TRUE(servers()[0].issued_by(first_.front()));
  EXPECT_TRUE(servers()[1].issued_by(renewed));
  EXPECT_EQ(folders_of_keys(), std::vector<std::string>{"keys-2"}) << "the old root's key is gone";
  // It goes on: bundles are signed by the new one.
  const auto root = open().value();
  EXPECT_TRUE(BundleDesk(root, clock_).publish({}));
  EXPECT_TRUE(BundleDesk(root, clock_).revoke(Role::kEndpointIdentity, trust_bundle::Reason::kSuperseded))
      << "by the same revocation key";
}

TEST_F(RotationTest, EndsWithTheNewRootAlone) {
  EXPECT_EQ(finish().error().code, "root.rotate") << "nothing was begun";
  const auto renewed = rotate();
  ASSERT_TRUE(finish());
  ASSERT_THAT(newest().roots(), SizeIs(1));
  EXPECT_EQ(newest().roots()[0].to_der(), renewed.to_der());
  ASSERT_THAT(servers(), SizeIs(1));
  EXPECT_TRUE(servers()[0].issued_by(renewed));
  EXPECT_EQ(finish().error().code, "root.rotate");
}

// Whoever pins any of them comes to the newest; who pins the newest begins with it.
TEST_F(RotationTest, IsFollowedFromEachRootThatThereWas) {
  std::vector<crypto::Certificate> roots;
  roots.push_back(first_.front().clone());
  for (int i = 0; i < 3; ++i) {
    roots.push_back(rotate());
    if (i == 1) continue;
    ASSERT_TRUE(finish());
  }
  EXPECT_EQ(roots.back().common_name(), "Example root 4");
  for (const auto& root : roots)
    EXPECT_EQ(shelf_.newest_for(root).value()->digest(), newest().digest()) << root.common_name();
}

TEST_F(RotationTest, CertifiesNoRevokedKeyAgain) {
  {
    const auto root = open().value();
    ASSERT_TRUE(BundleDesk(root, clock_).revoke(Role::kServerCommunication, trust_bundle::Reason::kKeyCompromise));
  }
  rotate();
  EXPECT_THAT(servers(), SizeIs(0));
  ASSERT_TRUE(finish());
  EXPECT_THAT(newest().contents().revoked, SizeIs(1)) << "and it stays revoked";
}

TEST_F(RotationTest, StretchesThePassphraseAsBefore) {
  rotate();
  for (const char* name : {"root.key", "revocation.key"}) {
    const auto text = keystore::read_file(path() / "keys-2" / name).value();
    EXPECT_EQ(signing_keys::KeyFile::parse(text)->cost, kCheap) << name;
  }
}

TEST_F(RotationTest, AdoptsNoRootThatSignsNoBundle) {
  {
    const auto root = open().value();
    EXPECT_EQ(root.adopt().error().code, "root.rotate") << "none was prepared";
    const auto next = root.prepare_next(secret_, clock_, entropy_).value();
    EXPECT_EQ(next.adopt().error().code, "root.rotate");
    EXPECT_THAT(folders_of_keys(), SizeIs(2)) << "the key that signs bundles is there";
  }
  EXPECT_EQ(opened(), first_.front().to_der());
}

// Until the bundle is on the shelf, the old root counts; from then on, the new one, wherever power was lost.
TEST_F(RotationTest, IsTheOldOneOrTheNewOneWhereverItWasCut) {
  const Bytes old = first_.front().to_der();
  const auto before = newest().digest();
  ASSERT_TRUE(open()->prepare_next(secret_, clock_, entropy_));
  // Cut here: nothing has happened, and it may begin anew, or get another passphrase.
  EXPECT_EQ(described(), old);
  EXPECT_EQ(opened(), old);
  ASSERT_TRUE(RootFolder::change_passphrase(path(), secret_, secret_, kCheap, clock_, entropy_));
  EXPECT_EQ(opened(), old);
  const Bytes next = cut_at_the_bundle().to_der();
  EXPECT_NE(newest().digest(), before);
  // Cut here: the bundle is there, and root.json says the old one.
  EXPECT_EQ(described(), next);
  EXPECT_EQ(opened(), next);
  EXPECT_THAT(folders_of_keys(), SizeIs(1));
  EXPECT_EQ(described(), next);
  // Between the certificate and root.json.
  const auto again = cut_at_the_bundle();
  ASSERT_TRUE(keystore::write_file(path() / "root.pem", as_bytes(again.to_pem()), FileMode::kPublic));
  EXPECT_EQ(described(), again.to_der());
  EXPECT_EQ(opened(), again.to_der());
  // After root.json, before the key of the root of before is gone.
  const std::string keys = folders_of_keys().front();
  std::filesystem::copy(path() / keys, folder_.path() / "kept");
  const Bytes last = rotate().to_der();
  std::filesystem::copy(folder_.path() / "kept", path() / keys);
  ASSERT_THAT(folders_of_keys(), SizeIs(2));
  EXPECT_EQ(described(), last);
  EXPECT_EQ(opened(), last);
  EXPECT_THAT(folders_of_keys(), SizeIs(1));
  EXPECT_FALSE(std::filesystem::exists(path() / keys));
  const auto ended = open().value();
  EXPECT_TRUE(BundleDesk(ended, clock_).publish({}));
}

}  // namespace
}  // namespace warifu::ceremony
