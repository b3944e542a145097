#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/temp_dir.h"
#include "crypto/certificate.h"
#include "crypto/der_value.h"
#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// 2026-01-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));

class Profiles : public testing::Test {
 protected:
  Result<Certificate> issue(const CertificateProfile& profile) {
    return issue_certificate(profile, key_.public_key(), &ca_, ca_key_, entropy_);
  }
  static CertificateProfile id_dev_id() {
    return {.common_name = "",
            .organization = "Maker",
            .serial_number = "0815-42",
            .not_before = kNow,
            .not_after = kForLife,
            .serial = SerialNumber::from_bytes(Bytes(20, 0x7f)).value(),
            .hardware_module = HardwareModule{std::string(kTpm20Module), to_bytes(as_bytes("4E544300:aabb:01"))},
            .policies = {"2.23.133.11.1.1", "2.23.133.11.1.2"}};
  }

  SystemEntropy entropy_;
  PrivateKey ca_key_ = PrivateKey::generate(KeyKind::kEcP384);
  PrivateKey key_ = PrivateKey::generate(KeyKind::kEcP256);
  Certificate ca_ = *issue_certificate(
      {.common_name = "Warifu CA", .not_before = kNow, .not_after = kForLife, .is_ca = true, .path_length = 0},
      ca_key_.public_key(), nullptr, ca_key_, entropy_);
};

TEST_F(Profiles, SayWhatAnIDevIdSays) {
  const auto profile = id_dev_id();
  const auto certificate = issue(profile);
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  EXPECT_EQ(certificate->subject(), "serialNumber=0815-42,O=Maker");
  EXPECT_EQ(certificate->serial_number(), "0815-42");
  EXPECT_EQ(certificate->organization(), "Maker");
  EXPECT_EQ(certificate->common_name(), "");
  EXPECT_EQ(certificate->serial(), to_bytes(profile.serial->bytes()));
  EXPECT_EQ(certificate->not_after(), kForLife);
  EXPECT_EQ(to_rfc3339(certificate->not_after()), "9999-12-31T23:59:59.000000Z");
  EXPECT_EQ(certificate->hardware_module(), profile.hardware_module);
  EXPECT_EQ(certificate->policies(), profile.policies);
  EXPECT_THAT(certificate->purposes(), ElementsAre());
  EXPECT_FALSE(certificate->has_ocsp_no_check());
  // The end of life in its very letters (RFC 5280 §4.1.2.5).
  EXPECT_THAT(std::string(as_text(certificate->to_der())), HasSubstr("99991231235959Z"));
}

TEST_F(Profiles, SayWhereToAskAboutACertificate) {
  const CertificateProfile profile = {.common_name = "device-1",
                                      .not_before = kNow,
                                      .not_after = kNow + std::chrono::hours(24),
                                      .dns_names = {"device-1"},
                                      .client_auth = true,
                                      .hardware_module = HardwareModule{"1.3.6.1.4.1.55555.1", {1, 2, 3}},
                                      .crl_urls = {"http://ca.example.org/crl/1", "https://ca.example.org/crl/1"},
                                      .ocsp_urls = {"http://ca.example.org/ocsp"},
                                      .issuer_urls = {"http://ca.example.org/ca.cer", "http://ca2.example.org/ca.cer"}};
  const auto certificate = issue(profile);
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  EXPECT_EQ(certificate->crl_urls(), profile.crl_urls);
  EXPECT_EQ(certificate->ocsp_urls(), profile.ocsp_urls);
  EXPECT_EQ(certificate->issuer_urls(), profile.issuer_urls);
  EXPECT_EQ(certificate->dns_names(), profile.dns_names);
  EXPECT_EQ(certificate->hardware_module(), profile.hardware_module);
  EXPECT_THAT(certificate->purposes(), ElementsAre("1.3.6.1.5.5.7.3.2"));
  EXPECT_EQ(certificate->serial().size(), 16u);
}

TEST_F(Profiles, MakeAResponder) {
  const auto certificate = issue({.common_name = "ocsp-1",
                                  .not_before = kNow,
                                  .not_after = kNow + std::chrono::hours(24),
                                  .ocsp_signing = true,
                                  .ocsp_no_check = true});
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  EXPECT_THAT(certificate->purposes(), ElementsAre("1.3.6.1.5.5.7.3.9"));
  EXPECT_TRUE(certificate->has_ocsp_no_check());
}

TEST_F(Profiles, AreNotIssuedWhenTheySayWhatCannotBe) {
  const std::function<void(CertificateProfile&)> changes[] = {
      [](auto& p) { p.serial_number = ""; },
      [](auto& p) { p.serial_number = std::string(65, '1'); },
      [](auto& p) { p.not_after = kForLife + std::chrono::seconds(1); },
      [](auto& p) { p.not_before = Timestamp(std::chrono::seconds(-1)); },
      [](auto& p) { p.hardware_module->type = "tpm"; },
      [](auto& p) { p.hardware_module->serial_number = {}; },
      [](auto& p) { p.hardware_module->serial_number = Bytes(257); },
      [](auto& p) {
        p.crl_urls = {"http://a", "ldap://b"};
      },
      [](auto& p) { p.ocsp_urls = {"http://a b"}; },
      [](auto& p) { p.issuer_urls = {"http://" + std::string(2048, 'a')}; },
      [](auto& p) { p.issuer_urls = {"http://\xc3\xa4"}; },
      [](auto& p) { p.policies = {"anyPolicy"}; },
      [](auto& p) { p.ocsp_signing = p.is_ca = true; },
  };
  for (const auto& change : changes) {
    CertificateProfile profile = id_dev_id();
    profile.serial = std::nullopt;
    ASSERT_TRUE(issue(profile));
    change(profile);
    const auto issued = issue(profile);
    ASSERT_FALSE(issued) << &change - changes;
    EXPECT_EQ(issued.error().code, "crypto.certificate.profile");
  }
}

TEST_F(Profiles, TakeSerialsToTheLastBit) {
  for (const Bytes& serial : {Bytes{1}, Bytes{0x80}, Bytes(19, 0xff), Bytes(20, 0x7f)}) {
    CertificateProfile profile = id_dev_id();
    profile.serial = SerialNumber::from_bytes(serial).value();
    const auto certificate = issue(profile);
    ASSERT_TRUE(certificate) << to_hex(serial);
    EXPECT_EQ(certificate->serial(), serial);
    EXPECT_LE(ASN1_STRING_length(X509_get0_serialNumber(certificate->native())), 20);
  }
}

// What others wrote: a value that is not of its type is none, and no error stays behind for the next TLS connection.
TEST_F(Profiles, AreReadFromStrangersWithoutBelievingThem) {
  const Bytes oid = from_hex("06032a0304").value();
  const Bytes number = from_hex("04020102").value();
  const auto other_name = [](ByteView value) {
    return der_value(0, {from_hex("06082b06010505070804").value(), der_value(0, {value}, V_ASN1_CONTEXT_SPECIFIC)},
                     V_ASN1_CONTEXT_SPECIFIC);
  };
  const auto sequence = [](std::initializer_list<ByteView> values) { return der_value(V_ASN1_SEQUENCE, values); };
  const Bytes good = other_name(sequence({oid, number}));
  const Bytes names[] = {
      sequence({other_name(sequence({oid}))}),
      sequence({other_name(sequence({oid, number, number}))}),
      sequence({other_name(sequence({number, oid}))}),
      sequence({other_name(sequence({oid, oid}))}),
      sequence({other_name(der_value(V_ASN1_OCTET_STRING, {sequence({oid, number})}))}),
      sequence({good, good}),
      sequence({ByteView(good).first(good.size() - 1)}),
  };
  for (const Bytes& der : names) {
    const Certificate certificate = *issue({.common_name = "a", .not_before = kNow, .not_after = kForLife});
    const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(value.get(), der.data(), to_int(der.size()));
    for (const int nid : {NID_subject_alt_name, NID_crl_distribution_points, NID_info_access, NID_ext_key_usage,
                          NID_certificate_policies}) {
      const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
          X509_EXTENSION_create_by_NID(nullptr, nid, 0, value.get()));
      ASSERT_EQ(X509_add_ext(certificate.native(), extension.get(), -1), 1);
    }
    EXPECT_EQ(certificate.hardware_module(), std::nullopt) << to_hex(der);
    EXPECT_THAT(certificate.crl_urls(), ElementsAre());
    EXPECT_THAT(certificate.ocsp_urls(), ElementsAre());
    EXPECT_THAT(certificate.purposes(), ElementsAre());
    EXPECT_THAT(certificate.policies(), ElementsAre());
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

// openssl's own programs have the last word.
TEST_F(Profiles, AreAcceptedByOpensslVerify) {
  const TempDir folder;
  const std::filesystem::path& directory = folder.path();
  const auto run = [&](const std::string& line) {
    const std::string command = "cd " + directory.string() + " && " + line + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a test, and no input of others in it
  };
  CertificateProfile profile = id_dev_id();
  profile.serial = std::nullopt;
  profile.client_auth = true;
  profile.crl_urls = {"http://ca.example.org/crl"};
  profile.ocsp_urls = {"http://ca.example.org/ocsp"};
  std::ofstream(directory / "ca.pem") << ca_.to_pem();
  std::ofstream(directory / "leaf.pem") << issue(profile)->to_pem();
  profile.ocsp_signing = profile.ocsp_no_check = true;
  std::ofstream(directory / "responder.pem") << issue(profile)->to_pem();
  const std::string verify = "openssl verify -x509_strict -attime 4070908800 -CAfile ca.pem ";
  EXPECT_TRUE(run(verify + "-purpose sslclient leaf.pem"));
  EXPECT_FALSE(run(verify + "-purpose sslserver leaf.pem"));
  EXPECT_FALSE(run(verify + "-purpose ocsphelper -attime 1767225599 responder.pem"));
  EXPECT_TRUE(run("openssl x509 -in responder.pem -noout -text | grep -q 'OCSP No Check'"));
  EXPECT_TRUE(run("openssl x509 -in responder.pem -noout -ocsp_uri | grep -qx http://ca.example.org/ocsp"));
  EXPECT_TRUE(run("openssl x509 -in leaf.pem -noout -text | grep -q 'othername: 1.3.6.1.5.5.7.8.4'"));
  EXPECT_TRUE(
      run("openssl asn1parse -in leaf.pem -strparse $(openssl asn1parse -in leaf.pem | grep -A1 'Alternative Name' | "
          "tail -1 | cut -d: -f1) | grep -q 'OBJECT *:2.23.133.1.2'"));
}

}  // namespace
}  // namespace warifu::crypto
