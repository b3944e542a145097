#include "verifier/nonce.h"

#include <gtest/gtest.h>

#include "sim/deterministic.h"
#include "verifier/limits.h"

namespace warifu::verifier {
namespace {

class NoncesTest : public testing::Test {
 protected:
  static DeviceKey device(std::string_view registration = "meter-1", std::string_view scope = "0ne1") {
    return {ScopeId::parse(scope).value(), RegistrationId::parse(registration).value()};
  }
  std::string code_of(const DeviceKey& key, ByteView ak, ByteView nonce) const {
    const auto checked = nonces_.check(key, ak, nonce);
    return checked ? "" : std::string(checked.error().code);
  }

  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  const Nonces nonces_{clock_, entropy_, SecretBytes(Bytes(32, 7))};
  const Bytes ak_ = Bytes(34, 3);
};

TEST_F(NoncesTest, ANonceIsKnownAgainByEachNode) {
  const Bytes nonce = nonces_.make(device(), ak_);
  ASSERT_EQ(nonce.size(), 48U);
  const Nonces other(clock_, entropy_, SecretBytes(Bytes(32, 7)));
  const auto checked = other.check(device(), ak_, nonce);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->made_at, clock_.now());
  EXPECT_EQ(checked->extra_data, to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {nonce}).bytes()));
  EXPECT_NE(nonces_.make(device(), ak_), nonce);
}

TEST_F(NoncesTest, ANonceIsOfOneDeviceAndAkAndForTwoMinutes) {
  const Bytes nonce = nonces_.make(device(), ak_);
  EXPECT_EQ(code_of(device("meter-2"), ak_, nonce), "attestation.nonce");
  EXPECT_EQ(code_of(device("meter-1", "0ther"), ak_, nonce), "attestation.nonce");
  EXPECT_EQ(code_of(device(), Bytes(34, 4), nonce), "attestation.nonce");
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    Bytes changed = nonce;
    changed[i] ^= 1;
    EXPECT_EQ(code_of(device(), ak_, changed), "attestation.nonce") << i;
    EXPECT_EQ(code_of(device(), ak_, ByteView(nonce).first(i)), "attestation.nonce") << i;
  }
  clock_.advance(kNonceLifetime);
  EXPECT_EQ(code_of(device(), ak_, nonce), "");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(code_of(device(), ak_, nonce), "attestation.nonce-expired");
}

TEST_F(NoncesTest, ANonceIsForOnePurpose) {
  using enum Nonces::Purpose;
  for (const auto made_for : {kEvidence, kKeyProof, kApplicationKey}) {
    const Nonces makes(clock_, entropy_, SecretBytes(Bytes(32, 7)), made_for);
    const Bytes nonce = makes.make(device(), ak_);
    for (const auto asked_for : {kEvidence, kKeyProof, kApplicationKey}) {
      const Nonces checks(clock_, entropy_, SecretBytes(Bytes(32, 7)), asked_for);
      EXPECT_EQ(checks.check(device(), ak_, nonce).has_value(), made_for == asked_for);
    }
  }
}

}  // namespace
}  // namespace warifu::verifier
