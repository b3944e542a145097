// What CMP's messages ask of the CA, after they were believed.
#include "front/cmp/cmp_issuer.h"

#include <gmock/gmock.h>
#include <openssl/x509.h>

#include "crypto/openssl_handle.h"
#include "front/revocation/certificate_world_test.h"

namespace warifu::front::cmp_door {
namespace {

using crypto::RevocationReason;
using std::chrono::seconds;
using test::member;

class CmpIssuerTest : public testing::Test, protected test::CertificateWorld {
 protected:
  template <class Answer>
  static std::string code(const Answer& answer) {
    return answer ? "" : std::string(answer.error().code);
  }
  static crypto::CmpRevocation revocation_of(const crypto::Certificate& certificate,
                                             RevocationReason reason = RevocationReason::kUnspecified) {
    return {{crypto::to_der_bytes<i2d_X509_NAME>(X509_get_issuer_name(certificate.native())),
             crypto::SerialNumber::from_bytes(certificate.serial()).value()},
            reason};
  }
  std::string revoke(const crypto::Certificate& by, const crypto::CmpRevocation& revocation) {
    world.clock.advance(seconds(1));
    return code(world.server.cmp_issuer.revoke(cmp::ByCertificate{by.clone()}, revocation, transaction_));
  }
  std::string state_of(const crypto::Certificate& certificate) {
    return member(alice.get("/api/v1/certificates/" + to_hex(certificate.serial())), "state");
  }
  // The reference of a fresh secret.
  std::string secret_of(const std::string& id) {
    return member(alice.post("/api/v1/registrations/" + id + "/certificate-secret"), "reference");
  }
  Result<crypto::Certificate> ask(const cmp::Asker& asker, const crypto::PrivateKey& key) {
    world.clock.advance(seconds(1));
    const auto public_key = key.public_key();
    const crypto::RequestedNames names{};
    TRY(auto decision, world.server.cmp_issuer.issue({crypto::CmpBody::kIr, public_key, names, asker, transaction_}));
    return std::get<cmp::Issued>(std::move(decision)).certificate.clone();
  }
  bool knows_secret(const std::string& reference, const Bytes& transaction) {
    return world.server.cmp_issuer.secret(reference, transaction).has_value();
  }

  const Bytes transaction_ = Bytes(16, 7);
  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
};

TEST_F(CmpIssuerTest, RevokesADevicesOwnCertificatesAndNoOthers) {
  const auto own = active();
  const auto other = active();
  EXPECT_EQ(revoke(own, revocation_of(other)), "certificate.not-own");
  EXPECT_EQ(state_of(other), "active");
  EXPECT_EQ(code(world.server.cmp_issuer.revoke(cmp::BySecret{secret_of("soft-1")}, revocation_of(own), transaction_)),
            "certificate.not-own");
  // The number of its own, of another issuer.
  auto of_another = revocation_of(own);
  of_another.certificate.issuer =
      crypto::to_der_bytes<i2d_X509_NAME>(X509_get_subject_name(world.server.issuer.root().certificate.native()));
  EXPECT_EQ(revoke(own, of_another), "certificate.not-own");
  EXPECT_EQ(state_of(own), "active");
  EXPECT_EQ(revoke(own, revocation_of(own, RevocationReason::kSuperseded)), "");
  EXPECT_EQ(state_of(own), "revoked");
}

TEST_F(CmpIssuerTest, RevokesForReasonsOfDevicesOnly) {
  const auto own = active();
  for (const auto reason : {RevocationReason::kCaCompromise, RevocationReason::kCertificateHold,
                            RevocationReason::kRemoveFromCrl, RevocationReason::kAaCompromise})
    EXPECT_EQ(revoke(own, revocation_of(own, reason)), "certificate.reason");
  EXPECT_EQ(state_of(own), "active");
}

TEST_F(CmpIssuerTest, RevokesNothingOfADeviceThatIsSuspended) {
  const auto shown = active();
  const auto next = ask(cmp::ByCertificate{shown.clone()}, key_);
  ASSERT_TRUE(next) << to_string(next.error());
  change(*next, "suspend");
  EXPECT_EQ(revoke(shown, revocation_of(*next)), "certificate.held");
  EXPECT_EQ(revoke(shown, revocation_of(shown, RevocationReason::kKeyCompromise)), "certificate.held");
  EXPECT_EQ(state_of(*next), "held");
}

TEST_F(CmpIssuerTest, ASecretBuysOneCertificateWhateverTheTransactionIsCalled) {
  inactive();  // the enrollment of soft-1
  const cmp::Asker asker = cmp::BySecret{secret_of("soft-1")};
  const auto first = ask(asker, key_);
  ASSERT_TRUE(first) << to_string(first.error());
  // Asked again, perhaps after a restart: this is below everything that remembers transactions.
  EXPECT_EQ(ask(asker, key_)->to_der(), first->to_der());
  EXPECT_EQ(code(ask(asker, crypto::PrivateKey::generate(crypto::KeyKind::kEcP256))), "certificate.secret");
}

TEST_F(CmpIssuerTest, ASecretLastsAsLongAsTheTransactionThatSpentIt) {
  inactive();
  const auto reference = secret_of("soft-1");
  const auto unspent = secret_of("soft-1");
  world.clock.advance(device_ca::kSecretLifetime - seconds(10));
  ASSERT_TRUE(ask(cmp::BySecret{reference}, key_));
  world.clock.advance(seconds(10));
  EXPECT_TRUE(knows_secret(reference, transaction_));
  EXPECT_FALSE(knows_secret(reference, Bytes(16, 8)));
  EXPECT_FALSE(knows_secret(unspent, transaction_));
  world.clock.advance(device_ca::kConfirmWait);
  EXPECT_FALSE(knows_secret(reference, transaction_));
}

// A software key that an operator let in goes on by the certificate that it shows, and by no secret.
TEST_F(CmpIssuerTest, GoesOnFromTheCertificateThatIsShown) {
  const auto shown = active();
  const auto next = ask(cmp::ByCertificate{shown.clone()}, key_);
  ASSERT_TRUE(next) << to_string(next.error());
  EXPECT_EQ(state_of(*next), "active");
  const auto another = ask(cmp::BySecret{secret_of("soft-1")}, crypto::PrivateKey::generate(crypto::KeyKind::kEcP256));
  ASSERT_TRUE(another) << to_string(another.error());
  EXPECT_EQ(state_of(*another), "inactive");
}

// An enrollment that is deleted and made anew is another one.
TEST_F(CmpIssuerTest, BelievesNoCertificateOfAnEnrollmentThatIsGone) {
  const auto shown = active();
  EXPECT_EQ(code(world.server.cmp_issuer.identify(shown, {})), "");
  test::must(world.server.unenroll("soft-1"));
  EXPECT_EQ(code(world.server.cmp_issuer.identify(shown, {})), "enrollment.unknown");
  EXPECT_EQ(alice.post("/api/v1/enrollments", test::key_enrollment("soft-1", R"(,"allow_software_keys":true)")).status,
            201);
  EXPECT_EQ(code(world.server.cmp_issuer.identify(shown, {})), "certificate.revoked");
}

}  // namespace
}  // namespace warifu::front::cmp_door
