// What certificates of the field have and no specification allows, in certificates of our own: taken where nothing
// hangs on it, with a finding, and each beside a twin that is refused.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/test_roca_key.h"
#include "endorsement/ek/pem.h"
#include "endorsement/ek/test_pki.h"
#include "endorsement/ek/verify.h"

namespace warifu::endorsement {
namespace {

using test::hex;
using test::joined;
using test::Template;
using test::tlv;

constexpr std::string_view kRsa = "300d06092a864886f70d0101010500";
constexpr std::string_view kOaep = "300d06092a864886f70d0101070500";
// As STMicroelectronics writes it: the hash is left out, the label is "TCPA".
constexpr std::string_view kOaepOfTheTcpa = "302206092a864886f70d0101073015a213301106092a864886f70d010109040454435041";

Bytes rsa_key_as(std::string_view algorithm, Bytes spki) {
  const Bytes plain = hex(kRsa);
  const auto found = std::ranges::search(spki, plain);
  const Bytes bits(found.end(), spki.end());
  return tlv(0x30, joined({hex(algorithm), bits}));
}

class FieldQuirks : public testing::Test {
 protected:
  static crypto::PrivateKey key(crypto::KeyKind kind = crypto::KeyKind::kEcP256) {
    return crypto::PrivateKey::generate(kind);
  }

  const crypto::PrivateKey root_key = key();
  const crypto::PrivateKey ek_key = key();
  Template root{.issuer = test::name("Infineon Technologies AG", "Test Root"),
                .subject = test::name("Infineon Technologies AG", "Test Root")};
  Template ek = test::ek_template(root.subject);

  Result<VerifiedEkCertificate> judged(const Bytes& leaf) const {
    RootStore store;
    TRY_STATUS(store.add_root(X509Certificate::parse(test::certificate(root, root_key, root_key)).value()));
    TRY(const auto parsed, EkCertificate::parse(leaf));
    return verify(parsed, store, std::nullopt);
  }
  Bytes leaf() const { return test::certificate(ek, ek_key, root_key); }
  std::string code() const {
    const auto verified = judged(leaf());
    return verified ? "trusted" : std::string(verified.error().code);
  }
  bool finds(Finding finding) const {
    const auto verified = judged(leaf());
    return verified && std::ranges::find(verified->findings(), finding) != verified->findings().end();
  }
};

TEST_F(FieldQuirks, K2_AnOaepKeyIsAnRsaKeyAndNoWeakerOne) {
  ek.key_usage = hex("03020520");  // keyEncipherment
  const Bytes plain = key(crypto::KeyKind::kRsa2048).public_key().spki();
  ek.spki = plain;
  ASSERT_EQ(code(), "trusted");
  EXPECT_FALSE(finds(Finding::kOaepKey));
  const auto modulus = std::get<RsaSubjectKey>(judged(leaf())->certificate().x509().key).modulus;
  for (const auto algorithm : {kOaep, kOaepOfTheTcpa}) {
    ek.spki = rsa_key_as(algorithm, plain);
    ASSERT_EQ(code(), "trusted") << algorithm;
    EXPECT_TRUE(finds(Finding::kOaepKey));
    EXPECT_EQ(std::get<RsaSubjectKey>(judged(leaf())->certificate().x509().key).modulus, modulus);
    // It escapes nothing that is asked of an RSA key, and its certificate's signature counts.
    Bytes twin = leaf();
    twin.back() ^= 1;
    EXPECT_FALSE(judged(twin));
    ek.spki = rsa_key_as(algorithm, pem_blocks(crypto::kRocaKeyPem).value().front().content);
    EXPECT_EQ(code(), "endorsement.ek.roca") << algorithm;
  }
}

// One RDN with both attributes, in the order of their encodings or in the other one (X.690, 11.6).
Bytes name_with_set(bool is_ordered) {
  const auto attribute = [](std::string_view oid, std::string_view value) {
    return tlv(0x30, joined({tlv(0x06, hex(oid)), tlv(0x0C, to_bytes(as_bytes(value)))}));
  };
  const Bytes organization = attribute("55040a", "Infineon Technologies AG");
  const Bytes common_name = attribute("550403", "Test Root");  // the shorter one, which is therefore the first
  return tlv(0x30, tlv(0x31, is_ordered ? joined({common_name, organization}) : joined({organization, common_name})));
}

TEST_F(FieldQuirks, K3_NamesAreComparedByteByByteAsTheyAre) {
  for (const bool is_ordered : {true, false}) {
    root.issuer = root.subject = ek.issuer = name_with_set(is_ordered);
    ASSERT_EQ(code(), "trusted") << is_ordered;
    EXPECT_EQ(finds(Finding::kNotDer), !is_ordered);
    // The same attributes, put in order, are another name: nobody re-encodes.
    ek.issuer = name_with_set(!is_ordered);
    EXPECT_EQ(code(), "endorsement.path.missing-ca") << is_ordered;
  }
}

// TBSCertificate, and what follows it.
std::pair<Bytes, Bytes> parts_of(const Bytes& certificate) {
  const auto outer = wire::DerReader(certificate).element(0x30, "certificate").value();
  const auto tbs = wire::DerReader(outer).element(0x30, "tbsCertificate").value();
  return {to_bytes(tbs.whole), to_bytes(outer.content.subspan(tbs.whole.size()))};
}

TEST_F(FieldQuirks, K3_ASignatureIsOverTheBytesThatCame) {
  // subjectKeyIdentifier with `critical` FALSE, which DER leaves out.
  const Bytes spelled_out =
      hex("300f0603551d0e0101000405"
          "0403010203");
  const Bytes left_out =
      hex("300c0603551d0e0405"
          "0403010203");
  ek.more_extensions = left_out;
  ASSERT_EQ(code(), "trusted");
  EXPECT_FALSE(finds(Finding::kNotDer));
  ek.more_extensions = spelled_out;
  ASSERT_EQ(code(), "trusted");
  EXPECT_TRUE(finds(Finding::kNotDer));
  // Whoever writes it as DER has other bytes, which nobody signed.
  const Bytes signature = parts_of(leaf()).second;
  ek.more_extensions = left_out;
  const Bytes tbs = parts_of(leaf()).first;
  const auto twin = judged(tlv(0x30, joined({tbs, signature})));
  ASSERT_FALSE(twin);
  EXPECT_EQ(twin.error().code, "endorsement.path.signature");
}

}  // namespace
}  // namespace warifu::endorsement
