#include "signer/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signer/signer_fixture_test.h"
#include "signer_protocol/codec.h"

namespace warifu::signer {
namespace {

using signer_protocol::CertifyNode;
using signer_protocol::OpenEscrow;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;

class SignerServiceTest : public SignerTest {
 protected:
  CertifyNode request(std::vector<std::string> names = {"dps.example.com"}) const {
    return {std::move(names), node_key_.public_key().spki(), 3600};
  }
  crypto::Certificate certify(const CertifyNode& request) {
    return crypto::Certificate::from_der(service_.handle(kServer, request).value().certificate).value();
  }

  const crypto::PrivateKey node_key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
};

TEST_F(SignerServiceTest, CertifiesAServersKeyAndNotesIt) {
  const auto certificate = certify(request({"dps.example.com", "192.0.2.1"}));
  EXPECT_TRUE(certificate.issued_by(organisation_.roles.at(Role::kServerCommunication)));
  EXPECT_EQ(certificate.public_key().value(), node_key_.public_key());
  EXPECT_EQ(certificate.not_after(), kNow + hours(1));
  EXPECT_THAT(certificate.dns_names(), ElementsAre("dps.example.com", "localhost"));
  ASSERT_EQ(journal_.lines.size(), 1U);
  EXPECT_THAT(journal_.lines[0], HasSubstr(R"("role":"server-communication")"));
  EXPECT_THAT(journal_.lines[0], HasSubstr(to_hex(certificate.serial())));
  EXPECT_THAT(journal_.lines[0], HasSubstr(R"("uid":990)"));
  EXPECT_THAT(journal_.lines[0], HasSubstr(R"("names":["dps.example.com","192.0.2.1"])"));
}

TEST_F(SignerServiceTest, CertifiesNoNameThatNoServerMayHave) {
  for (const char* name : {"evil.example.com", "dps.example.com.evil.com", "192.0.2.2", "example.com"}) {
    EXPECT_EQ(refusal(kServer, request({name})), "signer.name") << name;
    EXPECT_EQ(refusal(kServer, request({"dps.example.com", name})), "signer.name") << name;
  }
  EXPECT_EQ(refusal(kServer, request({"2001:db8::2"})), "signer.name");
  EXPECT_EQ(refusal(kServer, request({"*.example.com"})), "server_name");
  EXPECT_EQ(refusal(kServer, request({"DPS.example.com", "localhost", "::1", "2001:db8::1"})), "");
  EXPECT_EQ(journal_.lines.size(), 1U);
}

TEST_F(SignerServiceTest, CertifiesForNobodyButTheServer) {
  EXPECT_EQ(refusal(kRoot, request()), "signer.denied");
  EXPECT_EQ(keys_.signers, 0);
}

TEST_F(SignerServiceTest, CertifiesForNoLongerThanTheRuleSays) {
  auto wanted = request();
  for (const std::uint64_t seconds : {std::uint64_t(0), std::uint64_t(90 * 86'400 + 1), UINT64_MAX}) {
    wanted.lifetime_seconds = seconds;
    EXPECT_EQ(refusal(kServer, wanted), "signer.lifetime") << seconds;
  }
  wanted.lifetime_seconds = 90 * 86'400;
  EXPECT_EQ(certify(wanted).not_after(), kNow + std::chrono::days(90));
}

TEST_F(SignerServiceTest, CertifiesNoKeyThatIsNone) {
  auto wanted = request();
  wanted.public_key.back() ^= 1;
  EXPECT_NE(refusal(kServer, wanted), "");
  wanted.public_key = {1, 2, 3};
  EXPECT_NE(refusal(kServer, wanted), "");
  EXPECT_TRUE(journal_.lines.empty());
}

TEST_F(SignerServiceTest, CertifiesNoMoreThanItsBudget) {
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(refusal(kServer, request()), "") << i;
  EXPECT_EQ(refusal(kServer, request()), "signer.budget");
  // What is refused anyway costs nothing.
  monotonic_.advance(hours(8));
  EXPECT_EQ(refusal(kServer, request({"evil.example.com"})), "signer.name");
  EXPECT_EQ(refusal(kServer, request()), "");
  EXPECT_EQ(refusal(kServer, request()), "signer.budget");
  // However long nobody asks, it is never more than a day's.
  monotonic_.advance(hours(1000));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(refusal(kServer, request()), "") << i;
  EXPECT_EQ(refusal(kServer, request()), "signer.budget");
}

TEST_F(SignerServiceTest, GivesNothingAwayThatIsNotInTheJournal) {
  journal_.is_full = true;
  EXPECT_EQ(refusal(kServer, request()), "file.write");
  const auto package = crypto::cms_encrypt(organisation_.roles.at(Role::kEscrow), SecretBytes(Bytes{1, 2})).value();
  EXPECT_EQ(refusal(kRoot, OpenEscrow{package}), "file.write");
}

TEST_F(SignerServiceTest, SaysWhyAKeyIsNotThere) {
  keys_.is_gone = true;
  EXPECT_EQ(refusal(kServer, request()), "pkcs11.call");
  organisation_.roles.erase(Role::kServerCommunication);
  EXPECT_EQ(refusal(kServer, request()), "signer.role");
}

TEST_F(SignerServiceTest, OpensWhatDevicesDepositForAdministratorsOnly) {
  const auto package = crypto::cms_encrypt(organisation_.roles.at(Role::kEscrow), SecretBytes(Bytes{1, 2, 3})).value();
  EXPECT_EQ(refusal(kServer, OpenEscrow{package}), "signer.denied");
  EXPECT_TRUE(journal_.lines.empty());
  EXPECT_EQ(to_bytes(service_.handle(kRoot, OpenEscrow{package})->content.reveal()), Bytes({1, 2, 3}));
  EXPECT_THAT(journal_.lines, ElementsAre(HasSubstr("escrow.open")));
  EXPECT_EQ(refusal(kRoot, OpenEscrow{Bytes{1, 2, 3}}), "crypto.cms.form");
}

TEST_F(SignerServiceTest, TellsEverybodyWhoTheOrganisationIs) {
  const auto told =
      service_.handle({.user = 1, .is_server = false, .is_administrator = false}, signer_protocol::Organisation{})
          .value();
  EXPECT_EQ(told.name, "Example");
  EXPECT_EQ(told.root, root_.certificate.to_der());
  EXPECT_THAT(told.roles, ElementsAre("server-communication", "endpoint-identity", "escrow"));
  EXPECT_EQ(told.certificates.at(2), organisation_.roles.at(Role::kEscrow).to_der());
}

TEST_F(SignerServiceTest, AnswersFrames) {
  const auto frame = signer_protocol::encode_request(request()).value();
  const auto answer = service_.answer(kServer, frame.reveal());
  EXPECT_TRUE(signer_protocol::decode_answer<CertifyNode>(answer.reveal()));
  const auto refused = service_.answer(kRoot, frame.reveal());
  EXPECT_EQ(signer_protocol::decode_answer<CertifyNode>(refused.reveal()).error().code, "signer.denied");
  EXPECT_THAT(journal_.told, ElementsAre(HasSubstr("uid=0")));
  const auto garbage = service_.answer(kServer, Bytes(20, 0xa5));
  EXPECT_EQ(signer_protocol::decode_answer<CertifyNode>(garbage.reveal()).error().code, "signer_protocol.magic");
}

}  // namespace
}  // namespace warifu::signer
