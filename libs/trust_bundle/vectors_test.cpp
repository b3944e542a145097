#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

constexpr const char* kFolder = WARIFU_SOURCE_DIR "/tests/vectors/trust_bundle/";

std::string content_of(const std::string& name) {
  std::ifstream file(kFolder + name);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

// What comes of envelopes, of which the first is begun with: "ok" or an error's code; the digest of the last one that
// was taken.
std::pair<std::string, crypto::Digest> outcome(std::vector<Envelope> envelopes) {
  const auto root = crypto::Certificate::from_pem(content_of("Root-1.crt")).value();
  const auto begun = TrustedBundle::begin(envelopes.front(), root);
  if (!begun) return {std::string(begun.error().code), crypto::Digest(crypto::HashAlgorithm::kSha256)};
  const auto followed = begun->advance_through(std::span(envelopes).subspan(1));
  return {followed.error ? std::string(followed.error->code) : "ok", followed.reached.digest()};
}

// Made by other programs (tests/vectors/trust_bundle/README.md).
TEST(BundleVectors, ComeToWhatTheySay) {
  std::istringstream cases(content_of("cases.txt"));
  std::size_t count = 0;
  for (std::string line; std::getline(cases, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string expected;
    std::string sha256;
    words >> expected >> sha256;
    std::vector<Envelope> envelopes;
    for (std::string name; words >> name;)
      envelopes.push_back(Envelope::parse(content_of(name + ".json")).value());
    const auto [code, digest] = outcome(std::move(envelopes));
    EXPECT_EQ(code, expected) << line;
    if (code == "ok") {
      EXPECT_EQ(to_hex(digest.bytes()), sha256) << line;
    }
    ++count;
  }
  EXPECT_EQ(count, 17u);
}

TEST(BundleVectors, AreWrittenAgainWithTheSameMeaning) {
  for (const char* name : {"1-first.json", "3-role-key-stolen.json", "5-new-revocation-keys.json"}) {
    const auto payload = Payload::parse(Envelope::parse(content_of(name))->payload()).value();
    const auto again = Payload::write(payload.contents()).value();
    EXPECT_NE(again.bytes(), payload.bytes()) << "theirs has spaces";
    EXPECT_EQ(again.contents().revoked, payload.contents().revoked);
    EXPECT_EQ(again.contents().roles, payload.contents().roles);
    EXPECT_EQ(again.contents().signing, payload.contents().signing);
    EXPECT_EQ(again.contents().issued_at, payload.contents().issued_at);
  }
}

}  // namespace
}  // namespace warifu::trust_bundle
