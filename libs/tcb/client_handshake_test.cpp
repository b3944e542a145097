#include "tcb/device_certificate_fixture_test.h"
#include "tcb/handshake_content.h"
#include "tcb_protocol/limits.h"

namespace warifu::tcb {
namespace {

TEST_F(DeviceCertificate, IsShownInARealHandshakeOfEverySuite) {
  const auto chain = obtain();
  for (const char* suites : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    for (const bool retry : {false, true}) {
      EXPECT_TRUE(connect(chain, {.suites = suites, .retry = retry}).completed) << suites << ": " << sign_code_;
      EXPECT_EQ(device_.ask(Identity{}), "") << "the server is known by it, too";
    }
  }
  EXPECT_EQ(device_.tpm.identity_signatures, 6);
}

// When the server does not take the new one yet.
TEST_F(DeviceCertificate, IsShownTooWhenItIsTheOneBefore) {
  const auto first = obtain(), second = obtain();
  EXPECT_TRUE(connect(first).completed);
  EXPECT_TRUE(connect(second).completed);
  obtain();
  EXPECT_FALSE(connect(first).completed);
  EXPECT_EQ(sign_code_, "tcb.certificate.other");
}

TEST_F(DeviceCertificate, SignsEachHandshakeOnce) {
  const auto chain = obtain();
  const auto handshake = checked(chain);
  EXPECT_EQ(sign_code(handshake), "");
  EXPECT_EQ(sign_code(handshake), "tcb.nonce") << "the nonce was used";
  EXPECT_EQ(device_.tpm.identity_signatures, 1);
  // A try that fails uses it up, too.
  const auto another = checked(chain);
  EXPECT_THAT(sign_code({}), StartsWith("tcb.handshake."));
  EXPECT_EQ(sign_code(another), "tcb.nonce");
  // So does whoever begins anew.
  const auto third = checked(chain);
  device_.begin();
  EXPECT_EQ(sign_code(third), "tcb.nonce");
  const auto late = checked(chain);
  device_.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(sign_code(late), "tcb.nonce");
  EXPECT_EQ(device_.tpm.identity_signatures, 1);
}

TEST_F(DeviceCertificate, SignsNoHandshakeThatWasNotChecked) {
  const auto chain = obtain();
  EXPECT_EQ(sign_code(checked(chain, false)), "tcb.nonce");
  // One that was checked for somebody else.
  const auto handshake = checked(chain);
  device_.verify_server(Caller::kAdministrator);
  static_cast<void>(sign(handshake, Caller::kAdministrator));
  EXPECT_EQ(sign_code_, "tcb.handshake.nonce");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

// The check is of one handshake, and the signature of that very one: the server is verified in it anew.
TEST_F(DeviceCertificate, SignsNoHandshakeWithAServerThatWasNotVerified) {
  const auto chain = obtain();
  const TestOrganisation other;
  const auto stranger = other.server();
  const auto nonce = device_.begin();
  const auto with_stranger = recorded(other, stranger, chain, nonce, false);
  recorded(organisation(), device_.server, chain, nonce, true);
  EXPECT_EQ(sign_code(with_stranger), "crypto.path.issuer");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

TEST_F(DeviceCertificate, SignsNoHandshakeInAnotherFormOrOrder) {
  const auto chain = obtain();
  const std::size_t count = checked(chain).size();
  ASSERT_EQ(count, 8U);
  for (std::size_t m = 0; m < count; ++m) {
    auto shorter = checked(chain);
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(m));
    EXPECT_EQ(sign_code(shorter), "tcb.handshake.order") << "without message " << m;
    auto doubled = checked(chain);
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(m), doubled[m]);
    EXPECT_THAT(sign_code(doubled), StartsWith("tcb.handshake.")) << "message " << m << " twice";
    auto cut = checked(chain);
    cut[m].pop_back();
    EXPECT_NE(sign_code(cut), "") << "message " << m << " cut";
    auto longer = checked(chain);
    longer[m].push_back(0);
    EXPECT_NE(sign_code(longer), "") << "message " << m << " longer";
  }
  auto after = checked(chain);
  after.push_back({20, 0, 0, 0});
  EXPECT_EQ(sign_code(after), "tcb.handshake.order");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

TEST_F(DeviceCertificate, SignsNoHandshakeThatShowsAnotherOne) {
  const auto chain = obtain();
  const auto strange = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key();
  EXPECT_EQ(sign_code(checked(chain_of(organisation().device(profile(), strange)))), "tcb.certificate.other");
  // Of the same key, by another issuer.
  const auto current = crypto::Certificate::from_der(chain.front());
  const auto twin = TestOrganisation::issued_by(organisation().role(), profile(), *current->public_key());
  EXPECT_EQ(sign_code(checked({twin.to_der()})), "tcb.certificate.other");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

// The other side verifies over what was really said: a changed byte after the server's part spoils the signature only.
TEST_F(DeviceCertificate, SignsOverTheTranscriptAndNothingElse) {
  const auto chain = obtain();
  const auto key = crypto::Certificate::from_der(chain.front())->public_key();
  const auto handshake = checked(chain);
  const auto signature = sign(handshake);
  ASSERT_TRUE(signature);
  const auto transcript = parse_client_authentication(handshake)->transcript;
  EXPECT_TRUE(key->verify(handshake_content("TLS 1.3, client CertificateVerify", transcript), *signature));
  EXPECT_FALSE(key->verify(handshake_content("TLS 1.3, server CertificateVerify", transcript), *signature));
  EXPECT_FALSE(key->verify(transcript.bytes(), *signature));
}

}  // namespace
}  // namespace warifu::tcb
