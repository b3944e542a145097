// Holds the code to tests/vectors/tpm/*.txt, which another implementation wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "tpm_types/authentication_key.h"
#include "tpm_types/duplicate.h"
#include "tpm_types/kdf.h"
#include "tpm_types/protection.h"
#include "tpm_types/test_keys.h"

namespace warifu::tpm {
namespace {

using crypto::HashAlgorithm;

// "[section] parameters" and "key = hex" lines, as make_vectors.py writes them.
struct Section {
  std::string kind, parameters;
  std::map<std::string, std::string> values;
};

std::vector<Section> read_vectors(const std::string& file = "credential.txt") {
  std::ifstream in(WARIFU_SOURCE_DIR "/tests/vectors/tpm/" + file);
  std::vector<Section> sections;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      const auto end = line.find(']');
      sections.push_back({line.substr(1, end - 1), line.substr(end + 2), {}});
    } else {
      const auto equals = line.find(" = ");
      sections.back().values[line.substr(0, equals)] = line.substr(equals + 3);
    }
  }
  return sections;
}

// fixed() of make_vectors.py.
Bytes fixed(std::string_view text, std::size_t size) {
  Bytes out;
  while (out.size() < size) {
    const Bytes counter = wire::Writer().u32(static_cast<std::uint32_t>(out.size())).take();
    const auto block = crypto::digest(HashAlgorithm::kSha256, {as_bytes(text), counter});
    out.insert(out.end(), block.bytes().begin(), block.bytes().end());
  }
  out.resize(size);
  return out;
}

// Gives out what it was told to.
class ScriptedEntropy final : public Entropy {
 public:
  explicit ScriptedEntropy(Bytes script) : script_(std::move(script)) {}
  void fill(std::span<std::uint8_t> out) override {
    ASSERT_LE(out.size(), script_.size());
    std::copy_n(script_.begin(), out.size(), out.begin());
    script_.erase(script_.begin(), script_.begin() + static_cast<std::ptrdiff_t>(out.size()));
  }

 private:
  Bytes script_;
};

HashAlgorithm hash_of(std::string_view name) {
  return name.starts_with("sha384") ? HashAlgorithm::kSha384 : HashAlgorithm::kSha256;
}

HmacObject fixed_object() {
  ScriptedEntropy entropy(fixed("obfuscation", 32));
  return std::move(*make_hmac_object(SecretBytes(fixed("hmac key", 32)), entropy));
}

TEST(Vectors, KdfsAgree) {
  int checked = 0;
  for (const Section& section : read_vectors()) {
    const HashAlgorithm hash = hash_of(section.parameters);
    for (const auto& [key, expected] : section.values) {
      const std::size_t bits = expected.size() * 4;
      if (section.kind == "kdfa") {
        const auto out =
            kdfa(hash, fixed("kdfa key", 32), kStorageLabel, fixed("kdfa u", 34), fixed("kdfa v", 7), bits);
        EXPECT_EQ(to_hex(out.reveal()), expected) << key;
        ++checked;
      } else if (section.kind == "kdfe") {
        const auto out = kdfe(hash, SecretBytes(fixed("kdfe z", 48)), kIdentityLabel, fixed("kdfe u", 48),
                              fixed("kdfe v", 48), bits);
        EXPECT_EQ(to_hex(out.reveal()), expected) << key;
        ++checked;
      }
    }
  }
  EXPECT_EQ(checked, 10);
}

TEST(Vectors, ObjectAndWrappersAgree) {
  const HmacObject object = fixed_object();
  const SecretBytes inner_key(fixed("inner key", 16));
  int checked = 0;
  for (const Section& section : read_vectors()) {
    if (section.kind == "object") {
      EXPECT_EQ(to_hex(object.tpmt_public), section.values.at("public"));
      EXPECT_EQ(to_hex(object.sensitive.reveal()), section.values.at("sensitive"));
      EXPECT_EQ(object.name().text(), section.values.at("name"));
      EXPECT_EQ(to_hex(inner_wrap(object, inner_key).reveal()), section.values.at("inner"));
      ++checked;
    } else if (section.kind == "wrap") {
      const Protector protector = {*crypto::RsaPublicKey::from_modulus(Bytes(256, 0xff), 65537),
                                   hash_of(section.parameters),
                                   static_cast<std::uint16_t>(section.parameters.ends_with("256") ? 256 : 128)};
      const SecretBytes seed(fixed("seed", crypto::digest_size(protector.hash)));
      EXPECT_EQ(to_hex(outer_wrap(protector, seed, object.name(), SecretBytes(sized(inner_key.reveal())))),
                section.values.at("credential"));
      EXPECT_EQ(to_hex(outer_wrap(protector, seed, object.name(), inner_wrap(object, inner_key))),
                section.values.at("duplicate"));
      ++checked;
    }
  }
  EXPECT_EQ(checked, 3);
}

// Each kind of EK with each kind of SRK, to the last byte.
TEST(Vectors, AuthenticationKeysAgree) {
  const std::vector<Section> sections = read_vectors("authentication_key.txt");
  const auto public_area = [&](std::string_view kind, const std::string& role) {
    const auto is_it = [&](const Section& section) { return section.kind == "public" && section.parameters == kind; };
    return *from_hex(std::ranges::find_if(sections, is_it)->values.at(role));
  };
  int checked = 0;
  for (const Section& section : sections) {
    if (section.kind != "authenticationKey") continue;
    const auto space = section.parameters.find(' ');
    const auto ek = EkPublic::from_tpm2b(public_area(section.parameters.substr(0, space), "ek"));
    const auto srk = SrkPublic::from_tpm2b(public_area(section.parameters.substr(space + 1), "srk"));
    ASSERT_TRUE(ek && srk) << section.parameters;
    ScriptedEntropy entropy(fixed("entropy " + section.parameters, 1024));
    const auto blob = make_authentication_key(*ek, *srk, SecretBytes(fixed("hmac key", 32)), entropy);
    ASSERT_TRUE(blob) << section.parameters;
    EXPECT_EQ(to_hex(*blob), section.values.at("blob")) << section.parameters;
    ++checked;
  }
  EXPECT_EQ(checked, 16);
}

}  // namespace
}  // namespace warifu::tpm
