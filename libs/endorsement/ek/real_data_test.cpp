#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "crypto/roca.h"
#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/pem.h"
#include "endorsement/ek/verify.h"
#include "sim/test_data.h"
#include "sim/test_seed.h"
#include "wire/json.h"

// Certificates of real TPMs and those who sign them. Everything in the folders is run and compared; what is not
// expected there fails.
namespace warifu::endorsement {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> folder() {
  const auto data = sim::test_data();
  if (!data) return std::nullopt;
  return *data / "ek-certs";
}

#define REQUIRE_DATA(name)    \
  const auto name = folder(); \
  if (!name) GTEST_SKIP() << "there are no real certificates: set WARIFU_TEST_DATA"

boost::json::object read_json(const fs::path& path) {
  const Bytes text = sim::read_test_file(path);
  return wire::parse_json(as_text(text)).value().as_object();
}

std::string text(const boost::json::value& value) {
  return std::string(value.as_string());
}

std::vector<X509Certificate> authorities_in(const fs::path& path) {
  auto authorities = parse_certificates(sim::read_test_file(path));
  EXPECT_TRUE(authorities) << path << (authorities ? "" : to_string(authorities.error()));
  return std::move(*authorities);
}

RootStore vendor_store(const fs::path& data) {
  RootStore store;
  for (auto& root : authorities_in(data / "vendor-roots/all-roots.pem")) {
    const std::string name = root.subject.text();
    const auto added = store.add_root(std::move(root));
    EXPECT_TRUE(added) << name << (added ? "" : to_string(added.error()));
  }
  for (auto& authority : authorities_in(data / "vendor-intermediates/all-intermediates.pem"))
    EXPECT_TRUE(store.add_intermediate(std::move(authority)));
  return store;
}

// A name as `openssl x509 -nameopt oneline` writes it, which is what the expected files have.
std::string openssl_text(const Name& name) {
  std::string out;
  for (const auto& rdn : name.rdns()) {
    if (!out.empty()) out += ", ";
    for (std::size_t i = 0; i < rdn.size(); ++i) {
      const std::set<std::pair<std::string, std::string>> types = {{"2.5.4.3", "CN"}, {"2.5.4.6", "C"},
                                                                   {"2.5.4.7", "L"},  {"2.5.4.8", "ST"},
                                                                   {"2.5.4.10", "O"}, {"2.5.4.11", "OU"}};
      const auto type = std::ranges::find(types, rdn[i].type, [](const auto& row) { return row.first; });
      const bool quoted = rdn[i].value.find_first_of(",+\"\\<>;") != std::string::npos;
      out += fmt::format("{}{} = {}{}{}", i > 0 ? " + " : "", type != types.end() ? type->second : rdn[i].type,
                         quoted ? "\"" : "", rdn[i].value, quoted ? "\"" : "");
    }
  }
  return out;
}

// The strings that openssl printed of the key: "2048 bit", "P-256".
std::set<std::string> key_words(const SubjectKey& key) {
  if (const auto* rsa = std::get_if<RsaSubjectKey>(&key)) return {fmt::format("{} bit", rsa->modulus.size() * 8)};
  if (const auto* ec = std::get_if<EcSubjectKey>(&key)) {
    const std::string size = ec->curve == crypto::NamedCurve::kP256   ? "256"
                             : ec->curve == crypto::NamedCurve::kP384 ? "384"
                                                                      : "521";
    return {size + " bit", "P-" + size};
  }
  return {};
}

std::set<std::string> key_words(const boost::json::array& rows) {
  std::set<std::string> out;
  for (const auto& row : rows)
    for (const auto& word : row.as_array())
      if (!word.as_string().empty()) out.insert(text(word));
  return out;
}

std::string algorithm_name(const X509Certificate& x509) {
  if (x509.key_algorithm == "1.2.840.113549.1.1.1") return "rsaEncryption";
  if (x509.key_algorithm == "1.2.840.113549.1.1.7") return "rsaesOaep";
  if (x509.key_algorithm == "1.2.840.10045.2.1") return "id-ecPublicKey";
  return x509.key_algorithm;
}

void expect_fields(const EkCertificate& certificate, const boost::json::object& expected) {
  const X509Certificate& x509 = certificate.x509();
  EXPECT_EQ(openssl_text(x509.issuer), text(expected.at("issuer")));
  EXPECT_EQ(openssl_text(x509.subject), text(expected.at("subject")));
  const auto& tpm = expected.at("tpm_attributes").as_object();
  EXPECT_EQ(certificate.tpm().manufacturer, text(tpm.at("tpmManufacturer")));
  EXPECT_EQ(certificate.tpm().model, text(tpm.at("tpmModel")));
  EXPECT_EQ(certificate.tpm().version, text(tpm.at("tpmVersion")));
  EXPECT_EQ(certificate.names_ek_purpose(), expected.at("eku_ek_certificate").as_bool());
  EXPECT_EQ(algorithm_name(x509), text(expected.at("spki_algorithm")));
  // OpenSSL printed no key where it cannot load one; we can.
  const bool is_oaep = text(expected.at("spki_algorithm")) == "rsaesOaep";
  const std::set<std::string> words = key_words(expected.at("public_key").as_array());
  EXPECT_EQ(key_words(x509.key), is_oaep ? std::set<std::string>{"2048 bit"} : words);
  EXPECT_EQ(x509.has_der_violations(), !expected.at("strict_der_note").is_null());
}

void expect_chain(const EkCertificate& certificate, const RootStore& store, const boost::json::object& expected) {
  std::optional<MissingAuthority> missing;
  const auto verified = verify(certificate, store, std::nullopt, &missing);
  const std::string verdict = text(expected.at("openssl_chain"));
  if (verdict.starts_with("error 20")) {
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, "endorsement.path.missing-ca");
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing->name, certificate.x509().issuer.text());
    return;
  }
  // Where OpenSSL cannot read the key of the leaf its signature is still the authority's, and the roots are there.
  ASSERT_TRUE(verified) << (verified ? "" : to_string(verified.error()));
  if (verdict != "OK") {
    EXPECT_TRUE(verdict.find("rsaesOaep") != std::string::npos) << verdict;
    return;
  }
  const auto& chain = expected.at("chain").as_array();
  ASSERT_EQ(verified->authorities().size() + 1, chain.size());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    std::string name = text(chain[i]);
    if (name.ends_with(" (untrusted)")) name.resize(name.size() - 12);
    EXPECT_EQ(openssl_text(verified->authorities()[i - 1].subject), name);
  }
}

TEST(RealEkCertificates, K1_K2_K3_K4_ParseAndChainAsExpected) {
  REQUIRE_DATA(data);
  const RootStore store = vendor_store(*data);
  std::size_t run = 0;
  for (const auto& entry : fs::directory_iterator(*data / "leaf")) {
    const std::string name = entry.path().filename();
    SCOPED_TRACE(name);
    const bool is_expected_file = name.ends_with(".expected.json");
    ASSERT_TRUE(is_expected_file || entry.path().extension() == ".der") << "an unknown file";
    fs::path partner = entry.path();
    if (is_expected_file) {
      ASSERT_TRUE(fs::exists(entry.path().parent_path() / (name.substr(0, name.size() - 14) + ".der")))
          << "nothing to run";
      continue;
    }
    partner.replace_extension(".expected.json");
    const auto expected = read_json(partner);
    const Bytes content = sim::read_test_file(entry.path());
    auto certificate = EkCertificate::parse(content);
    ASSERT_TRUE(certificate) << (certificate ? "" : to_string(certificate.error()));
    EXPECT_EQ(content.size(), expected.at("size").to_number<std::size_t>());
    EXPECT_EQ(certificate->x509().der().size(), expected.at("der_length").to_number<std::size_t>());
    EXPECT_EQ(certificate->padding(), expected.at("trailing_padding").to_number<std::size_t>());
    expect_fields(*certificate, expected);
    expect_chain(*certificate, store, expected);
    ++run;
  }
  EXPECT_GE(run, 10U);
}

TEST(RealEkCertificates, K14_TheClassIsThatOfThePath) {
  REQUIRE_DATA(data);
  const RootStore store = vendor_store(*data);
  for (const auto& entry : fs::directory_iterator(*data / "leaf")) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".der") continue;
    SCOPED_TRACE(name);
    const auto verified = verify(EkCertificate::parse(sim::read_test_file(entry.path())).value(), store, std::nullopt);
    if (name.starts_with("swtpm")) {
      EXPECT_FALSE(verified) << "a software TPM under a vendor";
      continue;
    }
    ASSERT_TRUE(verified) << (verified ? "" : to_string(verified.error()));
    EXPECT_EQ(to_string(verified->tpm_class()), name.starts_with("google") ? "virtual" : "discrete");
  }
}

TEST(RealEkCertificates, K5_ARootSpeaksOnlyForItsOwnMaker) {
  REQUIRE_DATA(data);
  for (const auto& entry : fs::directory_iterator(*data / "leaf")) {
    if (entry.path().extension() != ".der" || entry.path().filename().string().starts_with("swtpm")) continue;
    SCOPED_TRACE(entry.path().filename().string());
    const auto certificate = EkCertificate::parse(sim::read_test_file(entry.path())).value();
    RootStore store;
    for (auto& root : authorities_in(*data / "vendor-roots/all-roots.pem"))
      ASSERT_TRUE(store.add_root(std::move(root), {*VendorId::parse("IFX")}));
    for (auto& authority : authorities_in(*data / "vendor-intermediates/all-intermediates.pem"))
      ASSERT_TRUE(store.add_intermediate(std::move(authority)));
    const auto verified = verify(certificate, store, std::nullopt);
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, "endorsement.path.vendor");
  }
}

TEST(RealEkCertificates, EveryRootOfTheFoldersIsOne) {
  REQUIRE_DATA(data);
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(*data / "vendor-roots")) {
    SCOPED_TRACE(entry.path().filename().string());
    auto roots = parse_certificates(sim::read_test_file(entry.path()));
    ASSERT_TRUE(roots) << (roots ? "" : to_string(roots.error()));
    for (auto& root : *roots) {
      EXPECT_TRUE(RootStore().add_root(std::move(root)));
      ++count;
    }
  }
  EXPECT_GE(count, 88U) << "one by one and all in one";
}

TEST(RealEkCertificates, PlatformCertificatesAreRefusedByName) {
  REQUIRE_DATA(data);
  std::size_t run = 0;
  for (const auto& entry : fs::directory_iterator(*data / "platform-certs")) {
    if (entry.path().extension() == ".json") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ASSERT_EQ(entry.path().extension(), ".cer") << "an unknown file";
    ++run;
    const auto certificate = EkCertificate::parse(sim::read_test_file(entry.path()));
    if (entry.path().filename().string().starts_with("IntelSigningKey")) {
      ASSERT_TRUE(certificate) << (certificate ? "" : to_string(certificate.error()));
      EXPECT_FALSE(certificate->check_purpose());
      continue;
    }
    ASSERT_FALSE(certificate);
    EXPECT_EQ(certificate.error().code, "endorsement.certificate.attribute-certificate");
  }
  EXPECT_GE(run, 13U);
}

TEST(RealEkCertificates, NoFlippedBitIsBelieved) {
  REQUIRE_DATA(data);
  const RootStore store = vendor_store(*data);
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (const auto& entry : fs::directory_iterator(*data / "leaf")) {
    if (entry.path().extension() != ".der") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const Bytes whole = sim::read_test_file(entry.path());
    const std::size_t size = EkCertificate::parse(whole).value().x509().der().size();
    for (int round = 0; round < 60; ++round) {
      Bytes changed = whole;
      const std::size_t at = std::uniform_int_distribution<std::size_t>(0, size - 1)(random);
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1U << (random() % 8));
      const auto certificate = EkCertificate::parse(changed);
      if (!certificate) continue;
      EXPECT_FALSE(verify(*certificate, store, std::nullopt)) << "byte " << at << ", seed " << seed;
    }
    for (int round = 0; round < 60; ++round) {
      const std::size_t cut = std::uniform_int_distribution<std::size_t>(0, size - 1)(random);
      EXPECT_FALSE(EkCertificate::parse(ByteView(whole).first(cut))) << "cut at " << cut << ", seed " << seed;
    }
  }
}

Bytes modulus_of(const fs::path& path) {
  const Bytes content = sim::read_test_file(path);
  const auto blocks = pem_blocks(as_text(content)).value();
  SubjectKey key;
  if (blocks.front().label == "PUBLIC KEY") {
    std::string algorithm;
    auto spki = wire::DerReader(blocks.front().content).enter(wire::der::kSequence, "spki").value();
    key = parse_subject_key(spki, algorithm).value();
  } else {
    key = X509Certificate::parse(blocks.front().content).value().key;
  }
  return std::get<RsaSubjectKey>(key).modulus;
}

TEST(RealKeys, K10_RocaSamplesAreJudgedRight) {
  REQUIRE_DATA(data);
  std::size_t run = 0;
  for (const auto& entry : fs::directory_iterator(*data / "roca")) {
    SCOPED_TRACE(entry.path().filename().string());
    if (entry.path().extension() == ".json") continue;
    ASSERT_EQ(entry.path().extension(), ".pem") << "an unknown file";
    const auto expected = read_json(entry.path().string() + ".expected.json");
    const Bytes modulus = modulus_of(entry.path());
    EXPECT_EQ(crypto::is_roca_key(modulus), expected.at("roca_vulnerable").as_bool());
    EXPECT_EQ(crypto::passes_roca_filter(modulus), expected.at("roca_vulnerable").as_bool());
    ++run;
  }
  EXPECT_GE(run, 5U);
}

TEST(RealKeys, K10_NoRealEkOfTheFoldersIsWeak) {
  REQUIRE_DATA(data);
  for (const auto& entry : fs::directory_iterator(*data / "leaf")) {
    if (entry.path().extension() != ".der") continue;
    const auto certificate = EkCertificate::parse(sim::read_test_file(entry.path())).value();
    if (const auto* rsa = std::get_if<RsaSubjectKey>(&certificate.x509().key)) {
      EXPECT_FALSE(crypto::is_roca_key(rsa->modulus));
    }
  }
}

}  // namespace
}  // namespace warifu::endorsement
