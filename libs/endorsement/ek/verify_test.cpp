#include "endorsement/ek/verify.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/system_entropy.h"
#include "crypto/test_roca_key.h"
#include "endorsement/ek/pem.h"
#include "endorsement/ek/test_pki.h"
#include "sim/test_data.h"

namespace warifu::endorsement {
namespace {

using test::certificate;
using test::hex;
using test::Template;

Timestamp year(int number) {
  return Timestamp(std::chrono::sys_days(std::chrono::year(number) / 6 / 1));
}

// A root, an authority below it and an EK, each part open to change.
class Paths : public testing::Test {
 protected:
  static crypto::PrivateKey key() { return crypto::PrivateKey::generate(crypto::KeyKind::kEcP256); }

  const Bytes root_name = test::name("Infineon Technologies AG", "Test Root");
  const Bytes ca_name = test::name("Infineon Technologies AG", "Test CA");
  const crypto::PrivateKey root_key = key();
  const crypto::PrivateKey ca_key = key();
  const crypto::PrivateKey ek_key = key();
  Template root{.issuer = root_name, .subject = root_name};
  Template ca{.issuer = root_name, .subject = ca_name, .serial = 2};
  Template ek = test::ek_template(ca_name);
  std::vector<VendorId> vendors;
  std::vector<Bytes> crls;
  bool has_ca = true;
  std::optional<MissingAuthority> missing;

  Bytes ca_der() const { return certificate(ca, ca_key, root_key); }

  Result<VerifiedEkCertificate> run(JudgedAt at = year(2026)) {
    RootStore store;
    TRY_STATUS(store.add_root(X509Certificate::parse(certificate(root, root_key, root_key)).value(), vendors));
    if (has_ca) TRY_STATUS(store.add_intermediate(X509Certificate::parse(ca_der()).value()));
    for (const Bytes& crl : crls)
      TRY_STATUS(store.add_revocation_list(RevocationList::parse(crl).value()));
    TRY(const auto leaf, EkCertificate::parse(certificate(ek, ek_key, ca_key)));
    return verify(leaf, store, at, &missing);
  }
  std::string code(JudgedAt at = year(2026)) {
    const auto verified = run(at);
    return verified ? "trusted" : std::string(verified.error().code);
  }
  bool finds(Finding finding) {
    const auto verified = run();
    return verified && std::ranges::find(verified->findings(), finding) != verified->findings().end();
  }
};

TEST_F(Paths, AWholeOneIsTrusted) {
  const auto verified = run();
  ASSERT_TRUE(verified) << (verified ? "" : to_string(verified.error()));
  EXPECT_EQ(verified->authorities().size(), 2U);
  EXPECT_EQ(verified->vendor().text(), "IFX");
  EXPECT_EQ(verified->tpm_class(), TpmClass::kDiscrete);
  EXPECT_EQ(verified->certificate().tpm().model, "TestTPM");
}

TEST_F(Paths, SaysWhichAuthorityIsMissing) {
  has_ca = false;
  EXPECT_EQ(code(), "endorsement.path.missing-ca");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->name, "CN=Test CA,O=Infineon Technologies AG");
}

TEST_F(Paths, AnAuthorityOfThatNameWithAnotherKeyProvesNothing) {
  RootStore store;
  ASSERT_TRUE(store.add_root(X509Certificate::parse(certificate(root, root_key, root_key)).value()));
  ASSERT_TRUE(store.add_intermediate(X509Certificate::parse(certificate(ca, key(), root_key)).value()));
  const auto leaf = EkCertificate::parse(certificate(ek, ek_key, ca_key)).value();
  EXPECT_EQ(verify(leaf, store, year(2026)).error().code, "endorsement.path.signature");
}

TEST_F(Paths, TimesOfEveryCertificateCount) {
  EXPECT_EQ(code(year(2041)), "endorsement.path.expired");
  EXPECT_EQ(code(year(2019)), "endorsement.path.not-yet-valid");
  ca.not_after = "20250101000000Z";
  EXPECT_EQ(code(), "endorsement.path.expired");
  EXPECT_EQ(code(year(2024)), "trusted");
  EXPECT_EQ(code(std::nullopt), "trusted");
}

TEST_F(Paths, K4_WhoIsNoAuthoritySignsNothing) {
  ca.key_usage = hex("03020780");  // digitalSignature
  EXPECT_EQ(code(), "endorsement.path.authority");
  ca.key_usage = hex("03020106");
  ca.more_extensions = test::extension("551d1e", true, hex("3000"));  // nameConstraints
  EXPECT_EQ(code(), "endorsement.path.authority");
  ca.more_extensions.clear();
  root.basic_constraints = hex("30060101ff020100");  // path length 0
  EXPECT_EQ(code(), "endorsement.path.authority");
  root.basic_constraints = hex("30060101ff020101");
  EXPECT_EQ(code(), "trusted");
  ca.basic_constraints = hex("3000");
  EXPECT_EQ(code(), "endorsement.root.authority");
}

TEST_F(Paths, K4_TheLeafMustBeAnEk) {
  ek.basic_constraints = hex("30030101ff");
  EXPECT_EQ(code(), "endorsement.ek.authority");
  ek.basic_constraints = hex("3000");
  ek.more_extensions = test::extension("2a0304", true, hex("0500"));
  EXPECT_EQ(code(), "endorsement.ek.critical");
  ek.more_extensions = test::extension("2a0304", false, hex("0500"));
  EXPECT_EQ(code(), "trusted");
  ek.manufacturer = "Infineon";
  EXPECT_EQ(code(), "endorsement.ek.tpm");
  ek.is_ek = false;
  EXPECT_EQ(code(), "endorsement.ek.purpose");
}

Bytes spki_of(std::string_view pem) {
  return pem_blocks(pem).value().front().content;
}

TEST_F(Paths, K10_AnEkWhosePrivateKeyCanBeComputedIsRefused) {
  ek.key_usage = hex("03020520");  // keyEncipherment
  ek.spki = crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048).public_key().spki();
  EXPECT_EQ(code(), "trusted");
  ek.spki = spki_of(crypto::kRocaKeyPem);
  EXPECT_EQ(code(), "endorsement.ek.roca");
}

TEST_F(Paths, K10_ARocaKeyOfTheFieldIsRefused) {
  const auto data = sim::test_data();
  if (!data) GTEST_SKIP() << "there are no real keys: set WARIFU_TEST_DATA";
  ek.key_usage = hex("03020520");
  ek.spki = spki_of(as_text(sim::read_test_file(*data / "ek-certs/roca/pubkey03.pem")));
  EXPECT_EQ(code(), "endorsement.ek.roca");
}

TEST_F(Paths, K4_ASigningKeyIsAFinding) {
  EXPECT_FALSE(finds(Finding::kSigningKey));
  EXPECT_TRUE(run()->certificate().check_challenge());
  ek.key_usage = hex("03020780");
  EXPECT_TRUE(finds(Finding::kSigningKey));
  EXPECT_EQ(run()->certificate().check_challenge().error().code, "endorsement.ek.key-usage");
}

TEST_F(Paths, K4_AnEkIsAKeyForChallenges) {
  ek.key_usage = hex("03020520");  // keyEncipherment, which is not for an EC key
  EXPECT_EQ(code(), "endorsement.ek.key-usage");
  ek.key_usage = hex("03020308");  // keyAgreement
  EXPECT_EQ(code(), "trusted");
  ek.spki = crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048).public_key().spki();
  EXPECT_EQ(code(), "endorsement.ek.key-usage");
  ek.key_usage = hex("03020204");  // keyCertSign
  EXPECT_EQ(code(), "endorsement.ek.key-usage");
  ek.key_usage = hex("03020520");
  EXPECT_EQ(code(), "trusted");
}

// SubjectPublicKeyInfo of an RSA key of so many bits; nobody has its primes.
Bytes rsa_spki(std::size_t bits, std::string_view exponent) {
  Bytes modulus(bits / 8);
  crypto::SystemEntropy().fill(modulus);
  modulus.front() |= 0x80;
  modulus.back() |= 1;
  const Bytes numbers = test::tlv(
      0x30, test::joined({test::tlv(0x02, test::joined({Bytes{0}, modulus})), test::tlv(0x02, hex(exponent))}));
  return test::tlv(
      0x30, test::joined({hex("300d06092a864886f70d0101010500"), test::tlv(0x03, test::joined({Bytes{0}, numbers}))}));
}

TEST_F(Paths, K4_AnEkIsAStrongKey) {
  ek.key_usage = hex("03020520");
  ek.spki = rsa_spki(2048, "010001");
  EXPECT_EQ(code(), "trusted");
  ek.spki = rsa_spki(2048, "03");
  EXPECT_EQ(code(), "trusted");
  for (const auto* exponent : {"01", "010000"}) {
    ek.spki = rsa_spki(2048, exponent);
    EXPECT_EQ(code(), "endorsement.ek.key") << exponent;
  }
  for (const std::size_t bits : {512U, 1024U, 2040U}) {
    ek.spki = rsa_spki(bits, "010001");
    EXPECT_EQ(code(), "endorsement.ek.key") << bits;
  }
}

TEST_F(Paths, K4_AnEkIsAPointOnACurveThatIsKnown) {
  ek.spki = ek_key.public_key().spki();
  EXPECT_EQ(code(), "trusted");
  ek.spki->back() ^= 1;
  EXPECT_EQ(code(), "endorsement.ek.key");
  // Ed25519, which no TPM has as an EK.
  ek.spki = test::joined({hex("302a300506032b6570032100"), Bytes(32, 0x55)});
  EXPECT_EQ(code(), "endorsement.ek.key");
}

TEST_F(Paths, K5_AVendorsRootDoesNotSpeakForAnother) {
  ek.manufacturer = "id:53544D20";
  EXPECT_EQ(code(), "endorsement.path.vendor");
  vendors = {*VendorId::parse("STM")};
  EXPECT_EQ(code(), "trusted");
  vendors = {*VendorId::parse("NTC")};
  EXPECT_EQ(code(), "endorsement.path.vendor");
}

TEST_F(Paths, K5_AnAuthorityBelowAVendorsRootCannotNameAnother) {
  ca.subject = test::name("STMicroelectronics NV", "Test CA");
  ek.issuer = ca.subject;
  ek.manufacturer = "id:53544D20";
  EXPECT_EQ(code(), "endorsement.path.vendor");
}

TEST_F(Paths, K5_UnderARootOfNobodyTheAuthorityBelowItNamesTheMaker) {
  root.issuer = root.subject = ca.issuer = test::name("GlobalSign", "Test Root");
  EXPECT_EQ(code(), "trusted");
  ca.subject = ek.issuer = test::name("Somebody", "Test CA");
  EXPECT_EQ(code(), "endorsement.path.vendor");
}

TEST_F(Paths, K14_ASoftwareTpmIsSoftwareAndNothingElse) {
  ek.manufacturer = "id:00001014";
  EXPECT_EQ(code(), "endorsement.path.vendor") << "under a vendor's root";
  vendors = {*VendorId::parse("id:00001014")};
  EXPECT_EQ(run().value().tpm_class(), TpmClass::kSoftware);
}

TEST_F(Paths, ADistrustedAuthorityIsNotBelievedFromThenOn) {
  // ECDSA signatures differ each time: the certificate is made once.
  RootStore store;
  const Bytes once = ca_der();
  ASSERT_TRUE(store.add_root(X509Certificate::parse(certificate(root, root_key, root_key)).value()));
  ASSERT_TRUE(store.add_intermediate(X509Certificate::parse(once).value()));
  store.distrust({X509Certificate::parse(once).value().fingerprint_sha256(), year(2025), "its key was stolen"});
  const auto leaf = EkCertificate::parse(certificate(ek, ek_key, ca_key)).value();
  EXPECT_TRUE(verify(leaf, store, year(2024)));
  EXPECT_EQ(verify(leaf, store, year(2026)).error().code, "endorsement.path.distrusted");
  EXPECT_EQ(verify(leaf, store, std::nullopt).error().code, "endorsement.path.distrusted");
}

TEST_F(Paths, ADistrustedKeyDoesNotEscapeInAnotherCertificate) {
  const auto leaf = EkCertificate::parse(certificate(ek, ek_key, ca_key)).value();
  const auto first = X509Certificate::parse(ca_der()).value();
  ca.serial = 3;
  const auto again = X509Certificate::parse(ca_der()).value();
  const crypto::PrivateKey other_key = key();
  const Template other{.issuer = ca_name, .subject = ca_name};
  const auto other_root = X509Certificate::parse(certificate(other, other_key, other_key)).value();
  RootStore store;
  ASSERT_TRUE(store.add_root(X509Certificate::parse(certificate(root, root_key, root_key)).value()));
  ASSERT_TRUE(store.add_intermediate(again));
  ASSERT_TRUE(store.add_root(other_root));
  store.distrust({other_root.fingerprint_sha256(), year(2025), "another key of that name"});
  EXPECT_TRUE(verify(leaf, store, year(2026)));
  store.distrust({first.fingerprint_sha256(), year(2025), "its key was stolen"});
  ASSERT_TRUE(store.add_intermediate(first));
  EXPECT_TRUE(verify(leaf, store, year(2024)));
  EXPECT_EQ(verify(leaf, store, year(2026)).error().code, "endorsement.path.distrusted");
  // As a root of its own, which is no longer below the one that issued it.
  const Template cross{.issuer = ca_name, .subject = ca_name, .serial = 4};
  RootStore crossed;
  ASSERT_TRUE(crossed.add_root(X509Certificate::parse(certificate(cross, ca_key, ca_key)).value()));
  EXPECT_TRUE(verify(leaf, crossed, year(2026)));
  crossed.distrust(first, year(2025), "its key was stolen");
  EXPECT_EQ(verify(leaf, crossed, year(2026)).error().code, "endorsement.path.distrusted");
}

TEST_F(Paths, ARevokedCertificateIsRefused) {
  EXPECT_TRUE(finds(Finding::kRevocationUnknown));
  crls = {test::crl(ca_name, ca_key, 9, "20300101000000Z"), test::crl(root_name, root_key, 9, "20300101000000Z")};
  EXPECT_FALSE(finds(Finding::kRevocationUnknown));
  EXPECT_FALSE(finds(Finding::kRevocationStale));
  crls.front() = test::crl(ca_name, ca_key, 9, "20250101000000Z");
  EXPECT_TRUE(finds(Finding::kRevocationStale));
  crls.front() = test::crl(ca_name, ca_key, ek.serial, "20250101000000Z");
  EXPECT_EQ(code(), "endorsement.path.revoked");
  crls.front() = test::crl(ca_name, key(), ek.serial, "20300101000000Z");
  EXPECT_EQ(code(), "trusted") << "a CRL that the authority did not sign";
  crls = {test::crl(root_name, root_key, ca.serial, "20300101000000Z")};
  EXPECT_EQ(code(), "endorsement.path.revoked");
}

TEST_F(Paths, AListOfSomeCertificatesRevokesAndClearsNobody) {
  const Bytes of_root = test::crl(root_name, root_key, 9, "20300101000000Z");
  const auto scoped = [&](std::uint8_t serial, std::string_view scope) {
    crls = {test::crl(ca_name, ca_key, serial, "20300101000000Z",
                      test::extension("551d1c", true, test::tlv(0x30, hex(scope)))),
            of_root};
  };
  for (const auto* whole : {"", "810100", "820100", "840100", "850100"}) {
    scoped(9, whole);
    EXPECT_FALSE(finds(Finding::kRevocationUnknown)) << whole;
  }
  // Of users' certificates, of authorities', some reasons, attribute certificates, one shard (fullName).
  for (const auto* partial : {"8101ff", "8201ff", "83020640", "8501ff", "a007a0058603613a62"}) {
    scoped(9, partial);
    EXPECT_TRUE(finds(Finding::kRevocationUnknown)) << partial;
    scoped(ek.serial, partial);
    EXPECT_EQ(code(), "endorsement.path.revoked") << partial;
  }
}

TEST_F(Paths, ARootThatDidNotSignItselfIsNone) {
  RootStore store;
  EXPECT_EQ(store.add_root(X509Certificate::parse(certificate(root, root_key, ca_key)).value()).error().code,
            "endorsement.root.signature");
}

TEST_F(Paths, WhatIsNotSignedDoesNotChooseTheAlgorithm) {
  ek.outer_algorithm = hex("300c06082a8648ce3d0403020500");  // the same with NULL as parameters
  EXPECT_EQ(code(), "endorsement.path.signature");
}

TEST_F(Paths, AnExtensionTwiceIsRefused) {
  ek.more_extensions = test::extension("551d0f", false, hex("03020308"));
  EXPECT_EQ(code(), "endorsement.certificate.form");
}

}  // namespace
}  // namespace warifu::endorsement
