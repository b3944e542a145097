// Trust bundles that several people sign, and keys that revoke in other hands than the root's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/temp_dir.h"
#include "ceremony/acceptance.h"
#include "ceremony/bundle_changes.h"
#include "ceremony/bundle_desk.h"
#include "ceremony/key_holder.h"
#include "keystore/files.h"
#include "signing_keys/file_keys.h"
#include "sim/deterministic.h"

namespace warifu::ceremony {
namespace {

using pki::Role;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using trust_bundle::KeyId;
using trust_bundle::Reason;
using trust_bundle::TrustedBundle;

const signing_keys::Argon2idCost kWeakCost{1024, 1, 1};

class SeveralPeopleTest : public testing::Test {
 protected:
  SeveralPeopleTest() {
    const auto root =
        RootFolder::create(root_path(), {"Example", crypto::EcCurve::kP384, kWeakCost}, secret_, clock_, entropy_)
            .value();
    const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
    std::map<Role, crypto::Certificate> certificates;
    certificates.emplace(Role::kCodeSigning,
                         root.certify(Role::kCodeSigning, key.public_key(), clock_, entropy_).value());
    EXPECT_TRUE(BundleDesk(root, clock_).publish(certificates));
    for (const char* name : {"sato", "mori", "kato"})
      EXPECT_TRUE(KeyHolder::create(folder_.path() / name, {"Example", crypto::EcCurve::kP256, kWeakCost}, secret_,
                                    clock_, entropy_));
  }

  std::filesystem::path root_path() const { return folder_.path() / "root"; }
  Handover table() const { return Handover(root_path()); }
  TrustedBundle newest() const { return table().bundles().newest().value().value(); }
  crypto::PublicKey key_of(const std::string& name) const {
    return KeyHolder::describe(folder_.path() / name).value().key.clone();
  }
  OtherKeys keys(std::size_t threshold, std::initializer_list<const char*> names) const {
    OtherKeys others{threshold, {}};
    for (const char* name : names)
      others.keys.push_back(key_of(name));
    return others;
  }
  // What this person could do without our program.
  crypto::Signer signer_of(const std::string& name) const {
    signing_keys::FileKeys keys(folder_.path() / name, secret_.clone(), entropy_);
    return keys.open(signing_keys::KeyName::parse("bundle").value()).value();
  }
  // What happens at the root's desk.
  Status at_desk(const std::function<Status(const BundleDesk&)>& work) const {
    TRY(const auto root, RootFolder::open(root_path(), secret_));
    TRY_STATUS(work(BundleDesk(root, clock_)));
    return root.follow_bundles();
  }
  Status let_sign(std::size_t threshold, std::initializer_list<const char*> names) const {
    return at_desk([&](const BundleDesk& desk) { return desk.change_keys(keys(threshold, names), {}); });
  }
  Status let_revoke(std::size_t threshold, std::initializer_list<const char*> names) const {
    return at_desk([&](const BundleDesk& desk) { return desk.change_keys({}, keys(threshold, names)); });
  }
  Status publish() const {
    return at_desk([&](const BundleDesk& desk) { return desk.publish({}); });
  }
  // A copy for somebody to carry away.
  Handover stick(const std::string& name = "stick") const {
    EXPECT_TRUE(table().copy_to(folder_.path() / name));
    return Handover(folder_.path() / name);
  }
  Status sign(const std::string& name, const Handover& handover) const {
    TRY(const auto shown, KeyHolder::look(folder_.path() / name, handover));
    TRY(const auto holder, KeyHolder::open(folder_.path() / name, secret_));
    return holder.sign(handover, shown.proposal.payload.digest(), clock_);
  }
  Status revoke(const std::string& name, const Handover& handover) const {
    TRY(const auto holder, KeyHolder::open(folder_.path() / name, secret_));
    return holder.revoke(handover, Role::kCodeSigning, Reason::kKeyCompromise, clock_);
  }
  Result<std::size_t> take_back(const Handover& handover) const { return accept(root_path(), handover, clock_); }
  void must_sign(const std::string& name) const {
    const auto handover = stick();
    EXPECT_TRUE(sign(name, handover));
    EXPECT_TRUE(take_back(handover));
  }
  void propose_rotation() {
    const auto root = RootFolder::open(root_path(), secret_).value();
    const auto next = root.prepare_next(secret_, clock_, entropy_).value();
    ASSERT_TRUE(BundleDesk(root, clock_).rotate_to(next, entropy_));
    EXPECT_EQ(next.adopt().error().code, "root.rotate");
  }
  // The power fails before the bundle.
  void propose_rotation_and_stop() {
    const auto root = RootFolder::open(root_path(), secret_).value();
    ASSERT_TRUE(root.prepare_next(secret_, clock_, entropy_));
  }
  bool has_revocation_key() const { return RootFolder::describe(root_path())->has_revocation_key; }

  const TempDir folder_;
  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  mutable sim::SeededEntropy entropy_{1};
  const SecretBytes secret_{Bytes(32, 'p')};
};

TEST_F(SeveralPeopleTest, SignTogetherWhatEachOfThemHasSeen) {
  ASSERT_TRUE(let_sign(2, {"sato", "mori"}));
  EXPECT_EQ(newest().version(), 1U) << "the root's key alone is not enough any more";
  must_sign("sato");
  EXPECT_EQ(newest().version(), 2U);
  EXPECT_EQ(newest().contents().signing.threshold, 2U);
  EXPECT_EQ(newest().contents().signing.keys.size(), 3U);

  ASSERT_TRUE(publish());
  EXPECT_EQ(newest().version(), 2U);
  must_sign("mori");
  EXPECT_EQ(newest().version(), 3U);
  EXPECT_FALSE(table().proposal().value());
}

TEST_F(SeveralPeopleTest, AreShownWhatChanges) {
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(let_sign(2, {"sato"}));
  const auto shown = KeyHolder::look(folder_.path() / "sato", stick()).value();
  EXPECT_FALSE(shown.was_seen) << "nothing is kept of what was only shown";
  const auto& next = shown.proposal.payload.contents();
  const auto changes = describe_changes(&shown.newest.contents(), next);
  EXPECT_THAT(changes, Contains("- signing keys that must sign: 1 of 1"));
  EXPECT_THAT(changes, Contains("+ signing keys that must sign: 2 of 2"));
  EXPECT_THAT(changes, Contains("+ signing key " + KeyId::of(key_of("sato")).hex()));
  EXPECT_THAT(changes, Contains(HasSubstr("good until")));
  EXPECT_THAT(describe_changes(&next, next), IsEmpty());
  EXPECT_THAT(describe_changes(nullptr, next), Contains(HasSubstr("+ root CN=Example"))) << "all of it, the first time";
}

TEST_F(SeveralPeopleTest, MaySignCopiesApart) {
  ASSERT_TRUE(let_sign(3, {"sato", "mori", "kato"}));
  const auto first = stick("first");
  const auto second = stick("second");
  ASSERT_TRUE(sign("sato", first));
  ASSERT_TRUE(sign("mori", second));
  EXPECT_EQ(take_back(first).value(), 0U);
  EXPECT_EQ(take_back(second).value(), 1U);
  EXPECT_EQ(newest().contents().signing.threshold, 3U);
}

TEST_F(SeveralPeopleTest, ASpoiledCopyTakesNoSignatureAway) {
  ASSERT_TRUE(let_sign(3, {"sato", "mori", "kato"}));
  const auto copy = stick();
  ASSERT_TRUE(sign("sato", copy));
  ASSERT_TRUE(take_back(copy));
  const auto file = folder_.path() / "stick/proposed.json";
  auto text = keystore::read_file(file).value();
  const auto place = text.rfind("\"sig\":\"") + 20;
  text[place] = text[place] == 'A' ? 'B' : 'A';
  ASSERT_TRUE(keystore::write_file(file, as_bytes(text), FileMode::kPublic));
  ASSERT_TRUE(take_back(copy));
  must_sign("mori");
  EXPECT_EQ(newest().version(), 2U);
}

TEST_F(SeveralPeopleTest, NothingElseIsMadeWhileABundleWaits) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  EXPECT_EQ(publish().error().code, "root.proposed");
  EXPECT_EQ(RootFolder::change_passphrase(root_path(), secret_, secret_, kWeakCost, clock_, entropy_).error().code,
            "root.proposed");
  EXPECT_EQ(RootFolder::open(root_path(), secret_)->prepare_next(secret_, clock_, entropy_).error().code,
            "root.proposed");
  ASSERT_TRUE(withdraw(root_path(), clock_));
  EXPECT_EQ(withdraw(root_path(), clock_).error().code, "root.proposed");
  EXPECT_TRUE(publish());
}

TEST_F(SeveralPeopleTest, ARevocationDoesNotWaitForThem) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  const auto waiting = stick();
  ASSERT_TRUE(at_desk([&](const BundleDesk& desk) { return desk.revoke(Role::kCodeSigning, Reason::kKeyCompromise); }));
  EXPECT_EQ(newest().contents().revoked.size(), 1U);
  EXPECT_FALSE(table().proposal().value()) << "another bundle has its version";
  ASSERT_TRUE(sign("sato", waiting));
  EXPECT_EQ(take_back(waiting).error().code, "bundle.fork");
  EXPECT_TRUE(publish());
}

TEST_F(SeveralPeopleTest, ANewRootComesWhenTheyHaveSigned) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  must_sign("sato");
  const auto old_root = RootFolder::describe(root_path())->certificate.to_der();
  propose_rotation();
  EXPECT_EQ(RootFolder::describe(root_path())->certificate.to_der(), old_root);
  must_sign("sato");
  EXPECT_NE(RootFolder::describe(root_path())->certificate.to_der(), old_root);
  EXPECT_TRUE(newest().contents().signing.has(KeyId::of(key_of("sato"))));
  EXPECT_EQ(newest().contents().signing.threshold, 2U);
  ASSERT_TRUE(publish()) << "the new root's key is here";
  must_sign("sato");
}

TEST_F(SeveralPeopleTest, ARevocationKeyElsewhereIsHereNoMore) {
  EXPECT_TRUE(has_revocation_key());
  ASSERT_TRUE(let_revoke(1, {"kato"}));
  EXPECT_EQ(newest().version(), 2U) << "the root has all keys that must agree to this";
  EXPECT_FALSE(has_revocation_key());
  EXPECT_EQ(at_desk([&](const BundleDesk& desk) { return desk.revoke(Role::kCodeSigning, Reason::kKeyCompromise); })
                .error()
                .code,
            "root.revocation");
  // Alone, and without the root.
  const auto handover = stick();
  ASSERT_TRUE(revoke("kato", handover));
  EXPECT_EQ(handover.bundles().newest().value()->contents().revoked.size(), 1U);
  EXPECT_EQ(take_back(handover).value(), 1U);
  EXPECT_EQ(newest().version(), 3U);
  // The root goes on without it.
  ASSERT_TRUE(RootFolder::change_passphrase(root_path(), secret_, secret_, kWeakCost, clock_, entropy_));
  const auto root = RootFolder::open(root_path(), secret_).value();
  const auto next = root.prepare_next(secret_, clock_, entropy_).value();
  ASSERT_TRUE(BundleDesk(root, clock_).rotate_to(next, entropy_));
  EXPECT_TRUE(next.adopt());
}

TEST_F(SeveralPeopleTest, ARevocationKeyStaysUntilTheOthersCount) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  must_sign("sato");
  ASSERT_TRUE(let_revoke(1, {"kato"}));
  EXPECT_TRUE(has_revocation_key()) << "nobody has agreed yet";
  must_sign("sato");
  EXPECT_FALSE(has_revocation_key());
}

TEST_F(SeveralPeopleTest, TwoWhoRevokeMustAgree) {
  ASSERT_TRUE(let_revoke(2, {"mori", "kato"}));
  const auto handover = stick();
  ASSERT_TRUE(revoke("mori", handover));
  EXPECT_EQ(take_back(handover).value(), 0U) << "no concern of the desk until it is whole";
  EXPECT_EQ(handover.bundles().newest().value()->version(), 2U);
  EXPECT_EQ(revoke("kato", handover).error().code, "root.proposed") << "that one is to be signed, not another made";
  ASSERT_TRUE(sign("kato", handover));
  EXPECT_EQ(handover.bundles().newest().value()->contents().revoked.size(), 1U);
  EXPECT_EQ(take_back(handover).value(), 1U);
}

TEST_F(SeveralPeopleTest, TwoWhoRevokeWaitForNobodyElse) {
  ASSERT_TRUE(let_revoke(2, {"mori", "kato"}));
  ASSERT_TRUE(let_sign(2, {"sato"}));
  const auto handover = stick();
  ASSERT_TRUE(revoke("mori", handover));
  ASSERT_TRUE(sign("kato", handover));
  EXPECT_EQ(take_back(handover).value(), 1U);
  EXPECT_EQ(newest().contents().revoked.size(), 1U);
  EXPECT_FALSE(table().proposal().value()) << "what waited was overtaken";
}

TEST_F(SeveralPeopleTest, NothingThatCameBackIsWrittenOver) {
  ASSERT_TRUE(let_revoke(1, {"kato"}));
  const auto handover = stick();
  ASSERT_TRUE(revoke("kato", handover));
  EXPECT_EQ(table().copy_to(folder_.path() / "stick").error().code, "root.handover") << "a bundle";
  ASSERT_TRUE(publish());
  EXPECT_EQ(table().copy_to(folder_.path() / "stick").error().code, "bundle.fork");
  ASSERT_TRUE(let_sign(3, {"sato", "mori"}));
  const auto one = stick("one");
  const auto other = stick("other");
  ASSERT_TRUE(sign("sato", one));
  ASSERT_TRUE(sign("mori", other));
  ASSERT_TRUE(take_back(one));
  EXPECT_EQ(table().copy_to(folder_.path() / "other").error().code, "root.handover") << "a signature";
  ASSERT_TRUE(take_back(other));
  EXPECT_TRUE(table().copy_to(folder_.path() / "other"));
}

TEST_F(SeveralPeopleTest, ARevocationMayFollowTheRotationThatComesBackWithIt) {
  ASSERT_TRUE(let_revoke(1, {"kato"}));
  ASSERT_TRUE(let_sign(2, {"sato"}));
  must_sign("sato");
  propose_rotation();
  const auto handover = stick();
  ASSERT_TRUE(sign("sato", handover));
  ASSERT_TRUE(revoke("kato", handover));
  EXPECT_EQ(take_back(handover).value(), 2U);
  EXPECT_TRUE(publish()) << "the new root's key is here";
}

TEST_F(SeveralPeopleTest, ARotationThatWasGivenUpAndSignedAllTheSameIsTaken) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  must_sign("sato");
  propose_rotation();
  const auto handover = stick();
  ASSERT_TRUE(withdraw(root_path(), clock_));
  ASSERT_TRUE(sign("sato", handover));
  EXPECT_EQ(take_back(handover).value(), 1U);
  EXPECT_TRUE(publish()) << "the new root's key is here";
}

TEST_F(SeveralPeopleTest, ARotationThatIsWholeIsEndedByWhoeverComesNext) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  must_sign("sato");
  const auto old_root = RootFolder::describe(root_path())->certificate.to_der();
  propose_rotation();
  const auto handover = stick();
  ASSERT_TRUE(sign("sato", handover));
  // The power fails when the bundle is on the shelf.
  ASSERT_TRUE(table().bundles().take_from(handover.bundles()));
  EXPECT_NE(RootFolder::describe(root_path())->certificate.to_der(), old_root);
  EXPECT_TRUE(publish());
  must_sign("sato");
}

TEST_F(SeveralPeopleTest, NoCopyOfTheRevocationKeyStaysHere) {
  propose_rotation_and_stop();
  ASSERT_TRUE(let_revoke(1, {"kato"}));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_path()))
    EXPECT_NE(entry.path().filename(), "revocation.key") << entry.path();
}

TEST_F(SeveralPeopleTest, WhatNobodyCanReadIsGivenUp) {
  ASSERT_TRUE(keystore::write_file(root_path() / "proposed.json", as_bytes(std::string_view("{")), FileMode::kPublic));
  EXPECT_FALSE(publish());
  ASSERT_TRUE(withdraw(root_path(), clock_));
  EXPECT_TRUE(publish());
}

TEST_F(SeveralPeopleTest, ARevocationIsHeldUpByNoFileThatNobodyCanRead) {
  ASSERT_TRUE(let_revoke(1, {"kato"}));
  const auto handover = stick();
  ASSERT_TRUE(
      keystore::write_file(folder_.path() / "stick/proposed.json", as_bytes(std::string_view("{")), FileMode::kPublic));
  ASSERT_TRUE(revoke("kato", handover));
  EXPECT_EQ(take_back(handover).value(), 1U);
}

TEST_F(SeveralPeopleTest, ALinkIsNoFolderOfBundles) {
  const auto stick = folder_.path() / "stick";
  ASSERT_TRUE(keystore::make_private_folder(stick));
  ASSERT_TRUE(keystore::make_private_folder(folder_.path() / "elsewhere"));
  std::filesystem::create_directory_symlink(folder_.path() / "elsewhere", stick / "bundles");
  EXPECT_EQ(table().copy_to(stick).error().code, "root.bundles");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "elsewhere"));
}

TEST_F(SeveralPeopleTest, APersonSignsOnlyWhatWasCompared) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  const auto handover = stick();
  const auto holder = KeyHolder::open(folder_.path() / "sato", secret_).value();
  EXPECT_EQ(holder.sign(handover, newest().digest(), clock_).error().code, "bundle_key.digest");
  EXPECT_EQ(sign("kato", handover).error().code, "bundle_key.not-asked");
  EXPECT_EQ(handover.proposal().value()->envelope.signatures().size(), 1U);
}

TEST_F(SeveralPeopleTest, APersonIsNotLedBack) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  const auto behind = stick("behind");
  must_sign("sato");
  // Somebody shows what was proposed once more, as if nothing had come of it.
  EXPECT_EQ(KeyHolder::look(folder_.path() / "sato", behind).error().code, "bundle_key.nothing");
  const auto holder = KeyHolder::open(folder_.path() / "sato", secret_).value();
  EXPECT_EQ(holder.sign(behind, newest().digest(), clock_).error().code, "bundle_key.nothing");
  EXPECT_EQ(behind.bundles().newest().value()->version(), 2U) << "it is brought up to date instead";
}

TEST_F(SeveralPeopleTest, APersonKnowsTheLineOfBundles) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  must_sign("sato");
  const auto other = folder_.path() / "other";
  ASSERT_TRUE(keystore::make_private_folder(other));
  for (const auto& [organisation, code] : {std::pair("Example", "bundle.fork"), {"Another", "bundle.organisation"}}) {
    const auto root = RootFolder::create(other / organisation, {organisation, crypto::EcCurve::kP384, kWeakCost},
                                         secret_, clock_, entropy_)
                          .value();
    ASSERT_TRUE(BundleDesk(root, clock_).publish({}));
    ASSERT_TRUE(BundleDesk(root, clock_).change_keys(keys(2, {"sato"}), {}));
    EXPECT_EQ(KeyHolder::look(folder_.path() / "sato", Handover(root.path())).error().code, code);
  }
}

TEST_F(SeveralPeopleTest, TheRootTakesNothingBackThatLeavesItOut) {
  ASSERT_TRUE(let_sign(1, {"sato"}));
  const auto handover = stick();
  // With a threshold of one, this person can make a bundle alone.
  auto contents = newest().contents().clone();
  ++contents.version;
  std::erase_if(contents.signing.keys, [&](const auto& key) { return key.id != KeyId::of(key_of("sato")); });
  auto envelope = trust_bundle::Envelope::of(trust_bundle::Payload::write(contents).value());
  ASSERT_TRUE(envelope.sign(signer_of("sato")));
  ASSERT_TRUE(handover.bundles().add(envelope));
  EXPECT_EQ(take_back(handover).error().code, "root.proposed");
  EXPECT_EQ(newest().version(), 2U);
}

TEST_F(SeveralPeopleTest, TheRootTakesNoProposalThatIsNotItsOwn) {
  ASSERT_TRUE(let_sign(2, {"sato"}));
  const auto handover = stick();
  ASSERT_TRUE(sign("sato", handover));
  ASSERT_TRUE(withdraw(root_path(), clock_));
  EXPECT_EQ(take_back(handover).value(), 1U) << "it is whole, and names this root";
  ASSERT_TRUE(publish());
  const auto copy = stick("copy");
  ASSERT_TRUE(withdraw(root_path(), clock_));
  EXPECT_EQ(take_back(copy).error().code, "root.proposed");
}

TEST_F(SeveralPeopleTest, KeysThatCouldNotSignAreRefused) {
  EXPECT_EQ(let_sign(3, {"sato"}).error().code, "bundle.format") << "three of two";
  EXPECT_EQ(let_sign(2, {"sato", "sato"}).error().code, "bundle.key-twice");
  EXPECT_EQ(let_revoke(1, {}).error().code, "bundle.format");
  ASSERT_TRUE(let_sign(1, {"sato"}));
  EXPECT_EQ(let_revoke(1, {"sato"}).error().code, "bundle.key-twice") << "who signs does not revoke";
}

TEST_F(SeveralPeopleTest, AKeyIsMadeOnceInAFolder) {
  EXPECT_EQ(KeyHolder::create(folder_.path() / "sato", {"Example"}, secret_, clock_, entropy_).error().code,
            "bundle_key.exists");
  EXPECT_EQ(KeyHolder::open(folder_.path() / "nobody", secret_).error().code, "bundle_key.missing");
  EXPECT_EQ(KeyHolder::open(folder_.path() / "sato", SecretBytes(Bytes(32, 'q'))).error().code, "key_file.passphrase");
  for (const char* text : {"", "{}", R"({"format":"warifu.bundle-key.v2","organisation":"x"})",
                           R"({"format":"warifu.bundle-key.v1","organisation":""})",
                           R"({"format":"warifu.bundle-key.v1","organisation":"x","more":1})"}) {
    ASSERT_TRUE(keystore::write_file(folder_.path() / "sato/holder.json", as_bytes(std::string_view(text)),
                                     FileMode::kPrivate));
    EXPECT_FALSE(KeyHolder::describe(folder_.path() / "sato")) << text;
  }
}

}  // namespace
}  // namespace warifu::ceremony
