#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/crl.h"
#include "signer/signer_fixture_test.h"

namespace warifu::signer {
namespace {

using crypto::RevocationReason;
using crypto::SerialNumber;
using signer_protocol::AddToCrl;
using signer_protocol::BeginCrl;
using signer_protocol::CertifyDevice;
using signer_protocol::CertifyResponder;
using signer_protocol::FinishCrl;
using std::chrono::days;
using std::chrono::hours;
using testing::HasSubstr;

class SignerDevicesTest : public SignerTest {
 protected:
  CertifyDevice order(std::uint8_t serial = 1) const {
    return {.identity = 2,
            .protection = 1,
            .device = "meter-1",
            .public_key = device_key_.public_key().spki(),
            .serial = Bytes(16, static_cast<std::uint8_t>(0x40 + serial)),
            .not_before = to_unix_seconds(kNow),
            .not_after = to_unix_seconds(kNow + days(30)),
            .hardware_serial = {},
            .crl_url = "http://pki.example.com/crl/1.crl",
            .ocsp_url = "http://pki.example.com/ocsp",
            .issuer_url = {}};
  }
  crypto::Certificate certify(const CertifyDevice& request) {
    return crypto::Certificate::from_der(service_.handle(kServer, request).value().certificate).value();
  }
  const crypto::Certificate& role() const { return organisation_.roles.at(pki::Role::kEndpointIdentity); }

  const crypto::PrivateKey device_key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
};

TEST_F(SignerDevicesTest, CertifiesADevicesKeyAsItWasOrdered) {
  const auto certificate = certify(order());
  EXPECT_TRUE(certificate.issued_by(role()));
  EXPECT_EQ(certificate.subject(), "CN=meter-1,O=Example");
  EXPECT_EQ(certificate.public_key().value(), device_key_.public_key());
  EXPECT_EQ(certificate.serial(), order().serial);
  EXPECT_EQ(certificate.not_before(), kNow);
  EXPECT_EQ(certificate.not_after(), kNow + days(30));
  EXPECT_THAT(certificate.purposes(), testing::ElementsAre("1.3.6.1.5.5.7.3.2"));
  EXPECT_THAT(certificate.policies(), testing::ElementsAre(pki::kVerifiedTpmResidency, pki::kVerifiedTpmFixed));
  EXPECT_THAT(certificate.crl_urls(), testing::ElementsAre("http://pki.example.com/crl/1.crl"));
  EXPECT_FALSE(certificate.is_ca());
  ASSERT_EQ(journal_.lines.size(), 1U);
  for (const char* part : {R"("action":"device.certify")", R"("device":"meter-1")", R"("kind":"ldevid")",
                           R"("protection":"tpm")", R"("role":"endpoint-identity")"})
    EXPECT_THAT(journal_.lines[0], HasSubstr(part));
}

TEST_F(SignerDevicesTest, MarksAKeyThatIsInNoTpm) {
  auto software = order();
  software.protection = 2;
  EXPECT_THAT(certify(software).policies(), testing::ElementsAre(pki::kSoftwareKeyPolicy));
}

TEST_F(SignerDevicesTest, CertifiesAnIdevidForLife) {
  auto idevid = order();
  idevid.identity = 1;
  idevid.not_after = to_unix_seconds(crypto::kForLife);
  idevid.hardware_serial = {1, 2, 3};
  const auto certificate = certify(idevid);
  EXPECT_EQ(certificate.not_after(), crypto::kForLife);
  EXPECT_EQ(certificate.serial_number(), "meter-1");
  EXPECT_EQ(certificate.hardware_module(), (crypto::HardwareModule{std::string(crypto::kTpm20Module), Bytes{1, 2, 3}}));
  idevid.not_after = to_unix_seconds(kNow + days(30));
  EXPECT_EQ(refusal(kServer, idevid), "certificate.lifetime");
}

TEST_F(SignerDevicesTest, MakesTheSameCertificateOfTheSameOrderADayLater) {
  const auto first = certify(order());
  clock_.advance(hours(23));
  const auto second = certify(order());
  EXPECT_EQ(first.serial(), second.serial());
  EXPECT_EQ(first.not_before(), second.not_before());
  EXPECT_EQ(first.not_after(), second.not_after());
}

TEST_F(SignerDevicesTest, CertifiesForNobodyButTheServer) {
  EXPECT_EQ(refusal(kRoot, order()), "signer.denied");
  EXPECT_EQ(refusal(kRoot, CertifyResponder{1, device_key_.public_key().spki(), 3600}), "signer.denied");
  EXPECT_EQ(refusal(kRoot, BeginCrl{}), "signer.denied");
  EXPECT_EQ(refusal(kRoot, AddToCrl{}), "signer.denied");
  EXPECT_EQ(refusal(kRoot, FinishCrl{}), "signer.denied");
  EXPECT_EQ(keys_.signers, 0);
}

TEST_F(SignerDevicesTest, RefusesTimesThatARuleForbids) {
  const struct {
    Timestamp not_before, not_after;
    std::string_view code;
  } table[] = {
      {kNow - hours(24), kNow + days(1), ""},
      {kNow + hours(1), kNow + days(398) + hours(1), ""},
      {kNow - hours(26), kNow + days(1), "signer.lifetime"},
      {kNow + hours(2), kNow + days(1), "signer.lifetime"},
      {kNow, kNow + days(399), "signer.lifetime"},
      {kNow - hours(2), kNow - hours(1), "signer.lifetime"},
  };
  for (const auto& row : table) {
    auto wanted = order();
    wanted.not_before = to_unix_seconds(row.not_before);
    wanted.not_after = to_unix_seconds(row.not_after);
    EXPECT_EQ(refusal(kServer, wanted), row.code) << to_rfc3339(row.not_before) << " " << to_rfc3339(row.not_after);
  }
}

TEST_F(SignerDevicesTest, RefusesAnOrderThatIsNone) {
  const auto refused = [&](auto change) {
    auto wanted = order();
    change(wanted);
    return std::string(refusal(kServer, wanted));
  };
  EXPECT_EQ(refused([](auto& o) { o.identity = 3; }), "signer.order");
  EXPECT_EQ(refused([](auto& o) { o.protection = 0; }), "signer.order");
  EXPECT_EQ(refused([](auto& o) { o.not_after = UINT64_MAX; }), "signer.order");
  EXPECT_NE(refused([](auto& o) { o.device = "../x"; }), "");
  EXPECT_NE(refused([](auto& o) { o.serial = {0, 1}; }), "");
  EXPECT_NE(refused([](auto& o) { o.public_key = {1, 2}; }), "");
  EXPECT_TRUE(journal_.lines.empty());
}

TEST_F(SignerDevicesTest, KeepsToItsBudgets) {
  for (std::uint8_t i = 0; i < 3; ++i)
    EXPECT_EQ(refusal(kServer, order(i)), "") << i;
  EXPECT_EQ(refusal(kServer, order(4)), "signer.budget");
  const CertifyResponder responder{1, device_key_.public_key().spki(), 3600};
  EXPECT_EQ(refusal(kServer, responder), "");
  EXPECT_EQ(refusal(kServer, responder), "");
  EXPECT_EQ(refusal(kServer, responder), "signer.budget");
}

TEST_F(SignerDevicesTest, GivesNoCertificateThatIsNotInTheJournal) {
  journal_.is_full = true;
  EXPECT_EQ(refusal(kServer, order()), "file.write");
  EXPECT_EQ(refusal(kServer, CertifyResponder{1, device_key_.public_key().spki(), 3600}), "file.write");
}

TEST_F(SignerDevicesTest, DelegatesToAResponderForAWeekAtMost) {
  const auto ocsp = crypto::Certificate::from_der(
      service_.handle(kServer, CertifyResponder{1, device_key_.public_key().spki(), 86'400}).value().certificate);
  EXPECT_THAT(ocsp->purposes(), testing::ElementsAre("1.3.6.1.5.5.7.3.9"));
  EXPECT_TRUE(ocsp->has_ocsp_no_check());
  EXPECT_EQ(ocsp->not_after(), kNow + days(1));
  const auto cmp = crypto::Certificate::from_der(
      service_.handle(kServer, CertifyResponder{2, device_key_.public_key().spki(), 86'400}).value().certificate);
  EXPECT_THAT(cmp->purposes(), testing::ElementsAre(pki::kCmcRaPurpose));
  EXPECT_EQ(refusal(kServer, CertifyResponder{3, device_key_.public_key().spki(), 1}), "signer.order");
  EXPECT_EQ(refusal(kServer, CertifyResponder{1, device_key_.public_key().spki(), 7 * 86'400 + 1}), "signer.lifetime");
  EXPECT_EQ(refusal(kServer, CertifyResponder{1, device_key_.public_key().spki(), UINT64_MAX}), "signer.lifetime");
}

class SignerCrlTest : public SignerDevicesTest {
 protected:
  SignerCrlTest() { size_.add(entries_); }

  static Bytes text_of(const crypto::RevokedCertificate& entry) {
    return signer_protocol::CrlEntry{to_unix_seconds(entry.revoked_at), static_cast<std::uint8_t>(entry.reason),
                                     to_bytes(entry.serial.bytes())}
        .bytes();
  }
  BeginCrl begin() const {
    return {7, to_unix_seconds(kNow), to_unix_seconds(kNow + days(1)), size_.entries, size_.bytes};
  }

  const std::vector<crypto::RevokedCertificate> entries_ = {
      {SerialNumber::from_bytes(Bytes{0x41, 1}).value(), kNow - hours(1), RevocationReason::kKeyCompromise},
      {SerialNumber::from_bytes(Bytes{0x41, 2}).value(), kNow - hours(2), RevocationReason::kCertificateHold}};
  crypto::CrlSize size_;
};

TEST_F(SignerCrlTest, SignsAListThatItWasToldInParts) {
  EXPECT_EQ(refusal(kServer, begin()), "");
  for (const auto& entry : entries_)
    EXPECT_EQ(refusal(kServer, AddToCrl{7, {text_of(entry)}}), "");
  const auto finished = service_.handle(kServer, FinishCrl{7});
  ASSERT_TRUE(finished) << to_string(finished.error());
  auto writer = crypto::CrlWriter::begin(role(), {7, kNow, kNow + days(1), size_}).value();
  ASSERT_TRUE(writer.add(entries_));
  EXPECT_TRUE(writer.finish(finished->signature));
  EXPECT_THAT(journal_.lines.back(), HasSubstr(R"("action":"crl.sign")"));
  EXPECT_THAT(journal_.lines.back(), HasSubstr(R"("entries":2)"));
  EXPECT_EQ(refusal(kServer, FinishCrl{7}), "signer.crl");
}

TEST_F(SignerCrlTest, SignsNothingThatIsOutOfStep) {
  EXPECT_EQ(refusal(kServer, AddToCrl{7, {}}), "signer.crl");
  EXPECT_EQ(refusal(kServer, begin()), "");
  EXPECT_EQ(refusal(kServer, AddToCrl{8, {}}), "signer.crl");
  EXPECT_EQ(refusal(kServer, AddToCrl{7, {text_of(entries_[0])}}), "");
  EXPECT_EQ(refusal(kServer, FinishCrl{7}), "crypto.crl.shape");
  auto later = begin();
  later.this_update = to_unix_seconds(kNow + hours(2));
  EXPECT_EQ(refusal(kServer, later), "signer.crl-time");
  auto longer = begin();
  longer.next_update = to_unix_seconds(kNow + days(36));
  EXPECT_EQ(refusal(kServer, longer), "signer.crl-time");
}

TEST_F(SignerCrlTest, RefusesEntriesThatAreNone) {
  EXPECT_EQ(refusal(kServer, begin()), "");
  EXPECT_EQ(refusal(kServer, AddToCrl{7, {Bytes(8)}}), "wire.truncated");
  EXPECT_EQ(refusal(kServer, AddToCrl{7, {Bytes(9)}}), "crypto.serial.form");
  auto odd = text_of(entries_[0]);
  odd[8] = 7;
  EXPECT_EQ(refusal(kServer, AddToCrl{7, {odd}}), "signer.crl-entry");
}

}  // namespace
}  // namespace warifu::signer
