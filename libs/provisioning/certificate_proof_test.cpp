#include "provisioning/certificate_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/deterministic.h"

namespace warifu::provisioning {
namespace {

using crypto::Certificate;
using crypto::CertificateProfile;
using crypto::KeyKind;
using crypto::PrivateKey;
using std::chrono::hours;
using testing::HasSubstr;

// 2026-01-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));
constexpr hours kDay{24};

struct Issued {
  Certificate certificate;
  PrivateKey key;
  Bytes der() const { return certificate.to_der(); }
};

class CertificateProof : public testing::Test {
 protected:
  Issued issue(const CertificateProfile& profile, const Issued* issuer) {
    auto key = PrivateKey::generate(KeyKind::kEcP256);
    auto certificate = issue_certificate(profile, key.public_key(), issuer ? &issuer->certificate : nullptr,
                                         issuer ? issuer->key : key, entropy_);
    return {std::move(certificate).value(), std::move(key)};
  }
  Issued authority(std::string name, const Issued* issuer = nullptr) {
    return issue(
        {.common_name = std::move(name), .not_before = kNow - kDay, .not_after = kNow + 3650 * kDay, .is_ca = true},
        issuer);
  }
  Issued device(std::string name, const Issued* issuer, hours from = {}, hours to = 90 * kDay) {
    return issue(
        {.common_name = std::move(name), .not_before = kNow + from, .not_after = kNow + to, .client_auth = true},
        issuer);
  }
  static Claim claim(std::vector<Bytes> chain, std::string_view id = "meter-1") {
    return {.scope = ScopeId::parse("0ne00000001").value(),
            .registration = RegistrationId::parse(id).value(),
            .registration_as_written = std::string(id),
            .offer = {},
            .token = {},
            .chain = std::make_shared<const std::vector<Bytes>>(std::move(chain))};
  }
  static std::string refusal(const Claim& claim) {
    const auto chain = client_chain_of(claim);
    if (chain) return "";
    EXPECT_EQ(chain.error().kind, ErrorKind::kUnauthenticated);
    return std::string(chain.error().code) + ": " + chain.error().message;
  }
  template <class... More>
  static ClientChain chain_of(const Issued& leaf, const More&... more) {
    ClientChain chain;
    chain.push_back(leaf.certificate.clone());
    (chain.push_back(more.certificate.clone()), ...);
    return chain;
  }
  std::string path(const ClientChain& chain, const CertificatePair& authorities, Timestamp now = kNow + kDay) {
    const Status status = check_certificate_path(chain, authorities, cache_, now);
    return status ? "" : std::string(status.error().code);
  }
  static std::string enrolled(const ClientChain& chain, const CertificatePair& pair, Timestamp now = kNow + kDay) {
    const Status status = check_enrolled_certificate(chain, pair, now);
    return status ? "" : std::string(status.error().code);
  }

  sim::SeededEntropy entropy_{1};
  CertificateCache cache_;
  const Issued root_ = authority("Plant CA");
  const Issued leaf_ = device("meter-1", &root_);
};

TEST_F(CertificateProof, IsMissingWithoutACertificate) {
  Claim none = claim({});
  EXPECT_THAT(refusal(none), HasSubstr("certificate.missing"));
  none.chain = nullptr;
  EXPECT_THAT(refusal(none), HasSubstr("certificate.missing"));
}

TEST_F(CertificateProof, TakesTheChainAsItCame) {
  const auto chain = client_chain_of(claim({leaf_.der(), root_.der()}));
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->size(), 2U);
  EXPECT_EQ((*chain)[0].to_der(), leaf_.der());
  EXPECT_EQ((*chain)[1].to_der(), root_.der());
}

TEST_F(CertificateProof, RefusesBytesThatAreNoCertificateWhereverTheyStand) {
  Bytes longer = leaf_.der();
  longer.push_back(0);
  Bytes shorter = leaf_.der();
  shorter.pop_back();
  for (const Bytes& garbage : {Bytes(), Bytes{0x30}, Bytes(400, 0x5A), longer, shorter}) {
    EXPECT_THAT(refusal(claim({garbage})), HasSubstr("certificate.form: certificate 0"));
    EXPECT_THAT(refusal(claim({leaf_.der(), garbage})), HasSubstr("certificate.form: certificate 1"));
  }
}

TEST_F(CertificateProof, TakesEightCertificatesAndNotNine) {
  EXPECT_EQ(refusal(claim(std::vector<Bytes>(8, leaf_.der()))), "");
  EXPECT_THAT(refusal(claim(std::vector<Bytes>(9, leaf_.der()))), HasSubstr("certificate.form: expected at most 8"));
}

TEST_F(CertificateProof, TheCommonNameIsTheRegistrationId) {
  EXPECT_EQ(refusal(claim({device("METER-1", &root_).der()})), "") << "IDs are compared without case";
  for (const std::string name : {"meter-2", "meter-1 ", "meter-10", "-", "*"})
    EXPECT_THAT(refusal(claim({device(name, &root_).der()})), HasSubstr("certificate.name")) << name;
  EXPECT_THAT(refusal(claim({root_.der(), leaf_.der()})), HasSubstr("certificate.name")) << "it is the leaf's";
  const Issued dns = issue({.common_name = "somebody",
                            .not_before = kNow,
                            .not_after = kNow + kDay,
                            .dns_names = {"meter-1"},
                            .client_auth = true},
                           &root_);
  EXPECT_THAT(refusal(claim({dns.der()})), HasSubstr("\"somebody\", not the registration ID \"meter-1\""));
}

TEST_F(CertificateProof, AnEnrolledCertificateIsThePrimaryOrTheSecondary) {
  const Issued next = device("meter-1", &root_);
  const Issued stranger = device("meter-1", &root_);
  const CertificatePair both{leaf_.der(), next.der()};
  EXPECT_EQ(enrolled(chain_of(leaf_), both), "");
  EXPECT_EQ(enrolled(chain_of(next), both), "");
  EXPECT_EQ(enrolled(chain_of(next), {leaf_.der(), std::nullopt}), "certificate.unknown");
  EXPECT_EQ(enrolled(chain_of(stranger), both), "certificate.unknown");
  EXPECT_EQ(enrolled(chain_of(stranger, leaf_), both), "certificate.unknown") << "only of the leaf is the key proved";

  const Status unknown = check_enrolled_certificate(chain_of(stranger), both, kNow);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnauthenticated);
  EXPECT_THAT(unknown.error().operator_detail, HasSubstr(to_hex(stranger.certificate.fingerprint_sha256().bytes())));
  EXPECT_THAT(unknown.error().message, testing::Not(HasSubstr("SHA-256")));
}

TEST_F(CertificateProof, AnEnrolledCertificateMayBeSelfSignedAndMustBeValidNow) {
  const Issued own = device("meter-1", nullptr);
  const CertificatePair pair{own.der(), std::nullopt};
  const std::chrono::seconds second{1};
  EXPECT_EQ(enrolled(chain_of(own), pair, kNow), "");
  EXPECT_EQ(enrolled(chain_of(own), pair, kNow - second), "certificate.not_yet_valid");
  EXPECT_EQ(enrolled(chain_of(own), pair, kNow + 90 * kDay), "");
  EXPECT_EQ(enrolled(chain_of(own), pair, kNow + 90 * kDay + second), "certificate.expired");
  EXPECT_EQ(check_enrolled_certificate(chain_of(own), pair, kNow - second).error().kind, ErrorKind::kRefused);
}

TEST_F(CertificateProof, APathLeadsToThePrimaryOrTheSecondaryAuthority) {
  const Issued next = authority("Plant CA 2");
  const Issued other = authority("Other CA");
  const CertificatePair both{root_.der(), next.der()};
  EXPECT_EQ(path(chain_of(leaf_), both), "");
  EXPECT_EQ(path(chain_of(device("meter-1", &next)), both), "");
  EXPECT_EQ(path(chain_of(device("meter-1", &next)), {root_.der(), std::nullopt}), "certificate.unknown");
  EXPECT_EQ(path(chain_of(device("meter-1", &other)), both), "certificate.unknown");
  EXPECT_EQ(path(chain_of(device("meter-1", nullptr)), both), "certificate.unknown");
}

TEST_F(CertificateProof, AnAuthorityThatWasRenewedUnderItsNameStandsBesideTheOldOne) {
  const Issued renewed = authority("Plant CA");
  const Issued impostor = authority("Plant CA");
  for (const auto& pair : {CertificatePair{root_.der(), renewed.der()}, CertificatePair{renewed.der(), root_.der()}}) {
    EXPECT_EQ(path(chain_of(leaf_), pair), "");
    EXPECT_EQ(path(chain_of(device("meter-1", &renewed)), pair), "");
    EXPECT_EQ(path(chain_of(device("meter-1", &impostor)), pair), "crypto.path.issuer");
    EXPECT_EQ(path(chain_of(device("meter-1", &impostor), impostor), pair), "crypto.path.issuer");
    EXPECT_EQ(path(chain_of(leaf_), pair, kNow + 91 * kDay), "crypto.path.expired") << "whichever is tried last";
  }
}

TEST_F(CertificateProof, APathMayGoOverIntermediatesOrEndAtOne) {
  const Issued middle = authority("Line CA", &root_);
  const Issued meter = device("meter-1", &middle);
  EXPECT_EQ(path(chain_of(meter, middle), {root_.der(), std::nullopt}), "");
  EXPECT_EQ(path(chain_of(meter), {middle.der(), std::nullopt}), "") << "an intermediate is trusted by itself";
  EXPECT_EQ(path(chain_of(meter), {root_.der(), std::nullopt}), "certificate.unknown");
}

TEST_F(CertificateProof, SaysWhatIsWrongWithAPath) {
  const CertificatePair pair{root_.der(), std::nullopt};
  EXPECT_EQ(path(chain_of(leaf_), pair, kNow + 91 * kDay), "crypto.path.expired");
  EXPECT_EQ(path(chain_of(device("meter-1", &root_, 2 * kDay)), pair), "crypto.path.not-yet-valid");
  EXPECT_EQ(path(chain_of(authority("meter-1", &root_)), pair), "crypto.path.purpose");
}

TEST_F(CertificateProof, AnAuthorityIsDecodedOnceAndTheCacheIsBounded) {
  const auto first = cache_.get(root_.der());
  ASSERT_TRUE(first);
  EXPECT_EQ(cache_.get(root_.der())->get(), first->get());
  EXPECT_EQ((*first)->to_der(), root_.der());
  EXPECT_NE(cache_.get(leaf_.der())->get(), first->get());
  EXPECT_FALSE(cache_.get(Bytes(40, 0x30)));
}

TEST_F(CertificateProof, IsShownAsHubsKnowIt) {
  const auto info = info_of(leaf_.certificate);
  EXPECT_EQ(info.subject, "CN=meter-1");
  EXPECT_EQ(info.issuer, "CN=Plant CA");
  EXPECT_THAT(info.sha1, testing::MatchesRegex("[0-9A-F]{40}"));
  EXPECT_THAT(info.sha256, testing::MatchesRegex("[0-9A-F]{64}"));
  EXPECT_EQ(from_hex(info.sha256).value(), to_bytes(leaf_.certificate.fingerprint_sha256().bytes()));
  EXPECT_EQ(info.not_before, kNow);
  EXPECT_EQ(info.not_after, kNow + 90 * kDay);
  EXPECT_EQ(info.version, 3);
}

}  // namespace
}  // namespace warifu::provisioning
