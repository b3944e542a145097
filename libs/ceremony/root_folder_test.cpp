#include "ceremony/root_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "keystore/files.h"
#include "keystore/journal.h"
#include "signing_keys/file_keys.h"
#include "sim/deterministic.h"

namespace warifu::ceremony {
namespace {

using crypto::EcCurve;
using pki::Role;

const Timestamp kNow{std::chrono::seconds(1'790'000'000)};

SecretBytes words(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

class RootFolderTest : public testing::Test {
 protected:
  Result<RootFolder> create(EcCurve curve = EcCurve::kP384, const std::string& organisation = "Example") {
    return RootFolder::create(path(), {organisation, curve, {1024, 1, 1}}, words("correct horse"), clock_, entropy_);
  }
  std::filesystem::path path() const { return folder_.path() / "root"; }
  std::uint64_t journal_lines() const {
    return keystore::Journal(keystore::kernel_files(), path().string() + "/journal").check().value();
  }
  static crypto::PublicKey key_on(EcCurve curve) {
    const auto kind = curve == EcCurve::kP256 ? crypto::KeyKind::kEcP256 : crypto::KeyKind::kEcP384;
    return crypto::PrivateKey::generate(kind).public_key();
  }

  const TempDir folder_;
  const sim::SteppingClock clock_{kNow};
  sim::SeededEntropy entropy_{1};
};

TEST_F(RootFolderTest, IsOpenedByItsPassphraseOnly) {
  const Bytes made = create()->certificate().to_der();
  EXPECT_EQ(RootFolder::open(path(), words("wrong horse")).error().code, "key_file.passphrase");
  const auto opened = RootFolder::open(path(), words("correct horse")).value();
  EXPECT_EQ(opened.organisation(), "Example");
  EXPECT_EQ(opened.certificate().to_der(), made);
  EXPECT_EQ(RootFolder::open(folder_.path(), words("correct horse")).error().code, "root.missing");
}

TEST_F(RootFolderTest, CertifiesRolesOnTheirCurvesAndNotesIt) {
  const auto root = create().value();
  EXPECT_EQ(journal_lines(), 1U);
  const auto role = root.certify(Role::kServerCommunication, key_on(EcCurve::kP384), clock_, entropy_).value();
  EXPECT_TRUE(role.issued_by(root.certificate()));
  EXPECT_EQ(role.common_name(), "Example server-communication");
  EXPECT_TRUE(root.certify(Role::kEndpointIdentity, key_on(EcCurve::kP256), clock_, entropy_));
  EXPECT_EQ(journal_lines(), 3U);
  EXPECT_EQ(root.certify(Role::kServerCommunication, key_on(EcCurve::kP256), clock_, entropy_).error().code,
            "root.role.curve");
  EXPECT_EQ(root.certify(Role::kEndpointIdentity, key_on(EcCurve::kP384), clock_, entropy_).error().code,
            "root.role.curve");
  EXPECT_EQ(journal_lines(), 3U);
}

TEST_F(RootFolderTest, MayBeOnTheSmallerCurve) {
  EXPECT_EQ(create(EcCurve::kP256)->curve(), EcCurve::kP256);
  const auto root = RootFolder::open(path(), words("correct horse")).value();
  EXPECT_EQ(root.curve(), EcCurve::kP256);
  EXPECT_TRUE(root.certify(Role::kServerCommunication, key_on(EcCurve::kP256), clock_, entropy_));
}

TEST_F(RootFolderTest, IsMadeOnce) {
  const Bytes first = create()->certificate().to_der();
  EXPECT_EQ(create().error().code, "root.exists");
  EXPECT_EQ(RootFolder::open(path(), words("correct horse"))->certificate().to_der(), first);
}

// Two at once would write over each other's keys.
TEST_F(RootFolderTest, IsUsedByOneAtATime) {
  {
    const auto root = create().value();
    EXPECT_EQ(RootFolder::open(path(), words("correct horse")).error().code, "state.in_use");
    EXPECT_EQ(create().error().code, "state.in_use");
    EXPECT_EQ(RootFolder::change_passphrase(path(), words("correct horse"), words("new horse"), {1024, 1, 1}, clock_,
                                            entropy_)
                  .error()
                  .code,
              "state.in_use");
    EXPECT_TRUE(RootFolder::describe(path())) << "it may be looked at";
  }
  EXPECT_TRUE(RootFolder::open(path(), words("correct horse")));
}

TEST_F(RootFolderTest, IsMadeAnewWhenAnAttemptDidNotEnd) {
  create().value();
  ASSERT_TRUE(std::filesystem::remove(path() / "root.json"));
  EXPECT_EQ(RootFolder::open(path(), words("correct horse")).error().code, "root.missing");
  {
    const auto again = create();
    ASSERT_TRUE(again) << to_string(again.error());
  }
  EXPECT_TRUE(RootFolder::open(path(), words("correct horse")));
}

TEST_F(RootFolderTest, MayHaveAnotherPassphrase) {
  const Bytes made = create()->certificate().to_der();
  const auto change = [&](std::string_view from, std::string_view to) {
    return RootFolder::change_passphrase(path(), words(from), words(to), {1024, 1, 1}, clock_, entropy_);
  };
  EXPECT_EQ(change("wrong horse", "new horse").error().code, "key_file.passphrase");
  EXPECT_TRUE(RootFolder::open(path(), words("correct horse")));
  ASSERT_TRUE(change("correct horse", "new horse"));
  EXPECT_FALSE(RootFolder::open(path(), words("correct horse")));
  {
    const auto opened = RootFolder::open(path(), words("new horse")).value();
    EXPECT_EQ(opened.certificate().to_der(), made);
    EXPECT_TRUE(opened.certify(Role::kEscrow, key_on(EcCurve::kP384), clock_, entropy_));
  }
  EXPECT_FALSE(std::filesystem::exists(path() / "keys-1"));
  // A power cut left what does not count any more.
  std::filesystem::copy(path() / "keys-2", path() / "keys-1");
  EXPECT_TRUE(RootFolder::open(path(), words("new horse")));
  EXPECT_FALSE(std::filesystem::exists(path() / "keys-1"));
  ASSERT_TRUE(change("new horse", "newer horse"));
  EXPECT_FALSE(std::filesystem::exists(path() / "keys-2"));
  EXPECT_TRUE(RootFolder::open(path(), words("newer horse")));
}

TEST_F(RootFolderTest, TellsWhatItIsWithoutItsPassphrase) {
  const auto made = create().value();
  const auto told = RootFolder::describe(path()).value();
  EXPECT_EQ(told.organisation, "Example");
  EXPECT_EQ(told.curve, EcCurve::kP384);
  EXPECT_EQ(told.certificate.to_der(), made.certificate().to_der());
  EXPECT_EQ(told.journal_entries, 1U);
  EXPECT_EQ(RootFolder::describe(folder_.path()).error().code, "root.missing");
}

TEST_F(RootFolderTest, HasARevocationKeyThatNobodyCertified) {
  const auto root = create().value();
  signing_keys::FileKeys keys(path() / "keys-1", words("correct horse"), entropy_);
  const auto revocation = keys.open(signing_keys::KeyName::parse("revocation").value()).value();
  EXPECT_FALSE(revocation.public_key() == root.certificate().public_key().value());
}

TEST_F(RootFolderTest, NotesWhatItSignsOrDoesNotSign) {
  const auto root = create().value();
  const auto journal = path() / "journal" / "journal-00000001.jsonl";
  ASSERT_TRUE(keystore::write_file(journal, as_bytes("changed\nchanged\n"), FileMode::kPrivate));
  EXPECT_EQ(root.certify(Role::kEscrow, key_on(EcCurve::kP384), clock_, entropy_).error().code, "journal.broken");
}

TEST_F(RootFolderTest, RefusesAnOrganisationThatFitsIntoNoCertificate) {
  EXPECT_EQ(create(EcCurve::kP384, "").error().code, "organisation.name");
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace warifu::ceremony
