#include "front/revocation/glance.h"

#include <gtest/gtest.h>

#include "crypto/certificate.h"
#include "crypto/system_entropy.h"

namespace warifu::front::revocation {
namespace {

class GlanceTest : public testing::Test {
 protected:
  crypto::Certificate make(const char* serial, Timestamp not_after) {
    crypto::CertificateProfile profile{
        .common_name = "meter-1", .organization = "Example", .not_before = start_, .not_after = not_after};
    profile.serial = crypto::SerialNumber::from_bytes(from_hex(serial).value()).value();
    return crypto::issue_certificate(profile, key_.public_key(), &issuer_, crypto::Signer(issuer_key_), entropy_)
        .value();
  }
  crypto::Certificate make_issuer() {
    const crypto::CertificateProfile profile{
        .common_name = "CA", .not_before = start_, .not_after = start_ + std::chrono::hours(9'000), .is_ca = true};
    return crypto::issue_certificate(profile, issuer_key_.public_key(), nullptr, crypto::Signer(issuer_key_), entropy_)
        .value();
  }

  crypto::SystemEntropy entropy_;
  const Timestamp start_ = Timestamp(std::chrono::seconds(1'790'000'000));
  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const crypto::PrivateKey issuer_key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const crypto::Certificate issuer_ = make_issuer();
};

TEST_F(GlanceTest, SaysWhatTheCertificateSays) {
  const Bytes issuer = issuer_.to_der();
  const auto authority = Glance::of(issuer);
  ASSERT_TRUE(authority) << to_string(authority.error());
  // Of 16 bytes, of one, and with the top bit, before which DER has a zero.
  for (const char* serial : {"40112233445566778899aabbccddeeff", "01", "ff01"}) {
    for (const Timestamp not_after : {start_ + std::chrono::hours(1), crypto::kForLife}) {
      const auto certificate = make(serial, not_after);
      const Bytes der = certificate.to_der();
      const auto glance = Glance::of(der);
      ASSERT_TRUE(glance) << to_string(glance.error());
      EXPECT_EQ(to_hex(glance->serial), serial);
      EXPECT_EQ(to_bytes(glance->serial), certificate.serial());
      EXPECT_EQ(to_bytes(glance->issuer), to_bytes(authority->subject));
      EXPECT_NE(to_bytes(glance->subject), to_bytes(authority->subject));
      EXPECT_EQ(glance->not_after, not_after);
    }
  }
}

TEST_F(GlanceTest, RefusesWhatIsCutShort) {
  const Bytes der = make("40112233445566778899aabbccddeeff", start_ + std::chrono::hours(1)).to_der();
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_FALSE(Glance::of(ByteView(der).first(size))) << size;
  EXPECT_FALSE(Glance::of({}));
}

}  // namespace
}  // namespace warifu::front::revocation
