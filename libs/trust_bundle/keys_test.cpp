// Which keys and certificates may stand where, and how they are encoded.
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <functional>
#include <memory>

#include "trust_bundle/payload_reader.h"
#include "trust_bundle/test_json.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

// SubjectPublicKeyInfo of a P-256 key with its point compressed (RFC 5480 §2.2).
Bytes compressed(const crypto::PublicKey& key) {
  const auto point = crypto::ec_public_key(key).value();
  Bytes spki = from_hex("3039301306072a8648ce3d020106082a8648ce3d030107032200").value();
  spki.push_back(point.y().back() % 2 == 0 ? 0x02 : 0x03);
  spki.insert(spki.end(), point.x().begin(), point.x().end());
  return spki;
}

class BundleKeys : public testing::Test {
 protected:
  // The first bundle with something changed.
  std::string refusal(const std::function<void(Contents&)>& change) {
    auto contents = organisation_.first();
    change(contents);
    return code_of(Payload::write(contents));
  }
  // The first bundle with a string at a JSON pointer set to these bytes.
  std::string refusal_with(std::string_view pointer, ByteView bytes) {
    const auto changed = json_with(write_contents(organisation_.first()), pointer, to_base64(bytes).c_str());
    return code_of(Payload::parse(as_bytes(changed)));
  }
  TestOrganisation organisation_;
};

TEST_F(BundleKeys, HaveOneNameInWhateverEncodingTheyCome) {
  const auto key = organisation_.public_key("bob");
  const auto again = crypto::PublicKey::from_spki(compressed(key)).value();
  EXPECT_EQ(one_encoding(again), key.spki());
  EXPECT_EQ(KeyId::of(again), KeyId::of(key));
  EXPECT_EQ(KeyId::of(key).hex(), to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {key.spki()}).bytes()));
  const auto on_p384 = organisation_.public_key("Ann");
  EXPECT_EQ(one_encoding(on_p384), on_p384.spki());
}

TEST_F(BundleKeys, StandInABundleInOneEncodingOnly) {
  EXPECT_EQ(refusal_with("/signing/keys/1", organisation_.public_key("eve").spki()), "");
  EXPECT_EQ(refusal_with("/signing/keys/1", compressed(organisation_.public_key("eve"))), "bundle.key");
  Bytes longer = organisation_.public_key("eve").spki();
  longer.push_back(0);
  EXPECT_EQ(refusal_with("/signing/keys/1", longer), "bundle.key");
  const auto rsa = crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048).public_key();
  EXPECT_EQ(refusal_with("/revocation/keys/0", rsa.spki()), "bundle.key");
}

TEST_F(BundleKeys, ServeOnePurpose) {
  const auto set = [&](const char* a, const char* b) { return organisation_.set(1, {a, b}); };
  const std::vector<std::pair<const char*, std::function<void(Contents&)>>> rows = {
      {"one signs twice", [&](Contents& contents) { contents.signing = set("Ann", "Ann"); }},
      {"one revokes twice", [&](Contents& contents) { contents.revocation = set("Xia", "Xia"); }},
      {"one signs and revokes", [&](Contents& contents) { contents.revocation = set("Xia", "bob"); }},
      {"a root revokes", [&](Contents& contents) { contents.revocation = set("Xia", "Root-1"); }},
      {"a role revokes", [&](Contents& contents) { contents.revocation = set("Xia", "code"); }},
      {"a role signs", [&](Contents& contents) { contents.signing = set("Ann", "code"); }},
      {"a root has a role",
       [&](Contents& contents) { contents.roles.push_back(organisation_.role("a", "Root-1", "Root-1")); }},
      {"one has two roles",
       [&](Contents& contents) { contents.roles.push_back(organisation_.role("a", "code", "Root-1")); }},
  };
  for (const auto& [what, change] : rows)
    EXPECT_EQ(refusal(change), "bundle.key-twice") << what;
  EXPECT_EQ(refusal([&](Contents& contents) { contents.signing = set("Ann", "Root-1"); }), "") << "a root may sign";
  EXPECT_EQ(refusal([&](Contents& contents) {
              contents.roots.push_back(organisation_.root("Root-2"));
              contents.roles[0].certificates.push_back(organisation_.certified("server", "Root-2"));
            }),
            "")
      << "a key may be certified twice for one role";
}

TEST_F(BundleKeys, HaveNoCertificateTwice) {
  EXPECT_EQ(refusal([](Contents& contents) { contents.roots.push_back(contents.roots[0].clone()); }), "bundle.format");
  EXPECT_EQ(refusal([](Contents& contents) {
              contents.roles[0].certificates.push_back(contents.roles[0].certificates[0].clone());
            }),
            "bundle.format");
}

// A certificate of the same key, which OpenSSL writes in another way.
crypto::Certificate with_compressed_point(const crypto::Certificate& certificate, const crypto::PrivateKey& issuer) {
  const auto key = certificate.public_key().value();
  const Bytes spki = compressed(key);
  const std::uint8_t* at = spki.data();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> odd(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> copy(X509_dup(certificate.native()), X509_free);
  EXPECT_EQ(X509_set_pubkey(copy.get(), odd.get()), 1);
  EXPECT_GT(X509_sign(copy.get(), issuer.native(), EVP_sha384()), 0);
  Bytes der(static_cast<std::size_t>(i2d_X509(copy.get(), nullptr)));
  std::uint8_t* to = der.data();
  EXPECT_EQ(i2d_X509(copy.get(), &to), static_cast<int>(der.size()));
  return crypto::Certificate::from_der(der).value();
}

TEST_F(BundleKeys, OfCertificatesAreInOneEncodingToo) {
  const auto plain = organisation_.certified("server", "Root-1");
  const auto odd = with_compressed_point(plain.certificate, organisation_.key("Root-1"));
  EXPECT_TRUE(odd.issued_by(organisation_.root("Root-1").certificate));
  EXPECT_EQ(code_of(Listed::of(odd)), "bundle.certificate");
  EXPECT_EQ(refusal_with("/roles/0/certificates/0", odd.to_der()), "bundle.certificate");
}

TEST_F(BundleKeys, HaveCertificatesInDer) {
  Bytes ber = organisation_.root("Root-1").certificate.to_der();
  ASSERT_EQ(ber[1], 0x82) << "a length in two bytes";
  ber.insert(ber.begin() + 2, 0x00);
  ber[1] = 0x83;
  ASSERT_TRUE(crypto::Certificate::from_der(ber)) << "OpenSSL reads that";
  EXPECT_EQ(refusal_with("/roots/0", ber), "bundle.certificate");
}

}  // namespace
}  // namespace warifu::trust_bundle
