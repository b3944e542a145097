#include "verifier/ak_credential.h"

#include <gtest/gtest.h>

#include "attestation/quote/test_quote.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "verifier/limits.h"

namespace warifu::verifier {
namespace {

class AkCredentialsTest : public testing::Test {
 protected:
  static DeviceKey device(std::string_view registration = "meter-1", std::string_view scope = "0ne1") {
    return {ScopeId::parse(scope).value(), RegistrationId::parse(registration).value()};
  }
  AkChallenge challenge() { return credentials_.challenge(device(), tpm_.ek(), ak_.ak()).value(); }
  SecretBytes answer(const AkChallenge& challenge) {
    const auto& [id_object, secret] = challenge.credential;
    // Without their size fields.
    return tpm_
        .activate_credential(ByteView(id_object).subspan(2), ByteView(secret).subspan(2), ak_.ak().identity()->name)
        .value();
  }
  template <class T>
  static std::string code_of(const Result<T>& result) {
    return result ? "" : std::string(result.error().code);
  }

  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  const sim::SoftwareTpm tpm_ = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a").value();
  const attestation::SoftwareAk ak_ = attestation::SoftwareAk::of(crypto::KeyKind::kEcP256);
  const AkCredentials credentials_{clock_, entropy_, SecretBytes(Bytes(32, 7))};
};

TEST_F(AkCredentialsTest, BindsTheAkOfTheTpmThatOpensTheCredential) {
  const auto asked = challenge();
  const auto secret = answer(asked);
  EXPECT_EQ(secret.size(), 32U);
  const auto bound = credentials_.activate(device(), asked.session, secret.reveal());
  ASSERT_TRUE(bound) << to_string(bound.error());
  EXPECT_EQ(bound->ek_name, to_bytes(tpm_.ek().name().bytes()));
  EXPECT_EQ(bound->ak_name, to_bytes(ak_.ak().identity()->name.bytes()));
  EXPECT_EQ(bound->ak_public, to_bytes(ak_.ak().identity()->area.tpm2b()));
  // Another node of the same server.
  const AkCredentials other(clock_, entropy_, SecretBytes(Bytes(32, 7)));
  EXPECT_TRUE(other.activate(device(), asked.session, secret.reveal()));
}

TEST_F(AkCredentialsTest, RefusesAnotherSecretDeviceServerAndTime) {
  const auto asked = challenge();
  const auto secret = answer(asked);
  Bytes wrong = to_bytes(secret.reveal());
  wrong.back() ^= 1;
  const auto activate = [&](const DeviceKey& key, std::string_view session, ByteView shown) {
    return code_of(credentials_.activate(key, session, shown));
  };
  EXPECT_EQ(activate(device(), asked.session, wrong), "attestation.secret");
  EXPECT_EQ(activate(device(), asked.session, {}), "attestation.secret");
  EXPECT_EQ(activate(device(), challenge().session, secret.reveal()), "attestation.secret");
  EXPECT_EQ(activate(device("meter-2"), asked.session, secret.reveal()), "attestation.session");
  EXPECT_EQ(activate(device("meter-1", "0ther"), asked.session, secret.reveal()), "attestation.session");
  for (std::size_t i = 0; i < asked.session.size(); i += 7) {
    EXPECT_EQ(activate(device(), asked.session.substr(0, i), secret.reveal()), "attestation.session");
    std::string changed = asked.session;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(activate(device(), changed, secret.reveal()), "attestation.session");
  }
  EXPECT_EQ(activate(device(), std::string(20'000, 'A'), secret.reveal()), "attestation.session");
  const AkCredentials stranger(clock_, entropy_, SecretBytes(Bytes(32, 8)));
  EXPECT_EQ(code_of(stranger.activate(device(), asked.session, secret.reveal())), "attestation.session");
  clock_.advance(kSessionLifetime + std::chrono::seconds(1));
  EXPECT_EQ(activate(device(), asked.session, secret.reveal()), "attestation.session-expired");
}

TEST_F(AkCredentialsTest, ATokenIsOfOneDeviceAndLivesADay) {
  const auto asked = challenge();
  const auto bound = credentials_.activate(device(), asked.session, answer(asked).reveal()).value();
  const auto token = credentials_.issue_token(bound);
  EXPECT_EQ(credentials_.check_token(device(), token.text).value(), bound.ak_name);
  EXPECT_EQ(code_of(credentials_.check_token(device("meter-2"), token.text)), "attestation.token");
  EXPECT_EQ(code_of(credentials_.check_token(device("meter-1", "0ther"), token.text)), "attestation.token");
  EXPECT_EQ(code_of(credentials_.check_token(device(), "")), "attestation.token");
  EXPECT_EQ(code_of(credentials_.check_token(device(), asked.session)), "attestation.token") << "another purpose";
  EXPECT_EQ(code_of(credentials_.activate(device(), token.text, {})), "attestation.session");
  clock_.advance(kTokenLifetime + std::chrono::seconds(1));
  EXPECT_EQ(code_of(credentials_.check_token(device(), token.text)), "attestation.token-expired");
}

TEST_F(AkCredentialsTest, AnAkWithoutAttributesGetsNoCredential) {
  const auto bare = attestation::AkPublic::from_pem(ak_.key.public_key().to_pem()).value();
  EXPECT_EQ(code_of(credentials_.challenge(device(), tpm_.ek(), bare)), "ak.attributes");
}

}  // namespace
}  // namespace warifu::verifier
