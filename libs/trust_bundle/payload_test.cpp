#include "trust_bundle/payload.h"

#include <gtest/gtest.h>

#include "trust_bundle/limits.h"
#include "trust_bundle/test_json.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

namespace json = boost::json;

class BundlePayloads : public testing::Test {
 protected:
  static std::string refusal(const std::string& text) { return code_of(Payload::parse(as_bytes(text))); }
  // The first bundle's payload with the value at a JSON pointer set to another.
  std::string with(std::string_view pointer, json::value value) const {
    return json_with(as_text(payload_.bytes()), pointer, std::move(value));
  }

  TestOrganisation organisation_;
  const Contents first_ = organisation_.first();
  const Payload payload_ = Payload::write(first_).value();
};

TEST_F(BundlePayloads, AreReadAsTheyWereWritten) {
  auto contents = first_.clone();
  contents.organisation = "割符 \"GmbH\"";
  contents.version = kVersionMax;
  contents.revoked.push_back(organisation_.revoked("old", "code-signing", day(2) + std::chrono::microseconds(7)));
  contents.revoked.push_back({organisation_.id("older"), role_name("a"), day(3), Reason::kSuperseded});
  contents.revoked.push_back({organisation_.id("oldest"), role_name("b"), day(4), Reason::kCessation});
  const auto written = Payload::write(contents);
  ASSERT_TRUE(written) << to_string(written.error());
  const Contents& read = written->contents();
  EXPECT_EQ(read.organisation, contents.organisation);
  EXPECT_EQ(read.version, contents.version);
  EXPECT_EQ(read.issued_at, contents.issued_at);
  EXPECT_EQ(read.expires_at, contents.expires_at);
  EXPECT_EQ(read.signing, contents.signing);
  EXPECT_EQ(read.revocation, contents.revocation);
  EXPECT_EQ(read.roots, contents.roots);
  EXPECT_EQ(read.roles, contents.roles);
  EXPECT_EQ(read.revoked, contents.revoked);
}

TEST_F(BundlePayloads, AreSignedAndDigestedAsTheyCame) {
  const std::string spaced = "\n" + std::string(as_text(payload_.bytes()));
  const auto read = Payload::parse(as_bytes(spaced));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(as_text(read->bytes()), spaced);
  EXPECT_NE(read->digest(), payload_.digest());
}

TEST_F(BundlePayloads, OfAnotherFormAreRefused) {
  const std::string whole(as_text(payload_.bytes()));
  ASSERT_EQ(refusal(whole), "");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  for (const char* member : {"format", "organisation", "version", "issued_at", "expires_at", "signing", "revocation",
                             "roots", "roles", "revoked"}) {
    json::object without = json::parse(whole).as_object();
    without.erase(member);
    EXPECT_EQ(refusal(json::serialize(without)), "json.missing") << member;
  }
  for (const char* place : {"", "/signing", "/revocation", "/roles/0"})
    EXPECT_EQ(refusal(with(std::string(place) + "/more", 1)), "json.unknown-field") << place;
  EXPECT_EQ(refusal(R"({"version":1,)" + whole.substr(1)), "json.duplicate-key");
}

TEST_F(BundlePayloads, AreRefusedWithTheMemberThatIsWrong) {
  const std::vector<std::tuple<const char*, json::value, const char*>> rows = {
      {"/format", "warifu.trust-bundle.v2", "bundle.format"},
      {"/organisation", "", "bundle.format"},
      {"/organisation", "a\x1b[2J", "bundle.format"},
      {"/organisation", "a\x7f", "bundle.format"},
      {"/organisation", "a\u009b", "bundle.format"},
      {"/version", 0, "bundle.format"},
      {"/version", kVersionMax + 1, "bundle.format"},
      {"/version", -1, "json.type"},
      {"/version", 1.5, "json.type"},
      {"/version", "1", "json.type"},
      {"/issued_at", "2026-01-01", "bundle.format"},
      {"/expires_at", "2026-01-01T00:00:00+00:00", "bundle.format"},
      {"/expires_at", "2026-01-01T00:00:00Z", "bundle.format"},
      {"/signing/threshold", 0, "bundle.format"},
      {"/signing/threshold", 4, "bundle.format"},
      {"/revocation/threshold", 4, "bundle.format"},
      {"/signing/keys", json::array{}, "bundle.format"},
      {"/signing/keys/0", 1, "json.type"},
      {"/signing/keys/0", "A", "json.base64"},
      {"/signing/keys/0", "AAAA", "bundle.key"},
      {"/roots", json::array{}, "bundle.format"},
      {"/roots/0", "AAAA", "bundle.certificate"},
      {"/roles/0", 1, "json.type"},
      {"/roles/0/role", "Server", "bundle.format"},
      {"/roles/0/role", "", "bundle.format"},
      {"/roles/0/role", "code-signing", "bundle.format"},
      {"/roles/0/certificates", json::array{}, "bundle.format"},
  };
  for (const auto& [pointer, value, code] : rows)
    EXPECT_EQ(refusal(with(pointer, value)), code) << pointer << " " << json::serialize(value);
}

TEST_F(BundlePayloads, NameThePlaceOfWhatIsWrong) {
  const auto refused = Payload::parse(as_bytes(with("/roles/1/certificates/0", "AAAA")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "roles[1].certificates[0]");
  EXPECT_EQ(Payload::parse(as_bytes(with("/signing/threshold", 9))).error().message,
            "expected 1 to 3, as many keys as there are; 9 came");
}

TEST_F(BundlePayloads, HaveRevocationsThatAreWhole) {
  const json::object right = {{"key_sha256", std::string(64, 'a')},
                              {"role", "x"},
                              {"revoked_at", "2026-01-01T00:00:00Z"},
                              {"reason", "superseded"}};
  EXPECT_EQ(refusal(with("/revoked", json::array{right})), "");
  EXPECT_EQ(refusal(with("/revoked", json::array{right, right})), "bundle.format") << "a key is revoked once";
  for (const auto& [member, value] : {std::pair("key_sha256", std::string(64, 'A')),
                                      {"key_sha256", std::string(62, 'a')},
                                      {"key_sha256", std::string(64, 'g')},
                                      {"role", std::string("X")},
                                      {"revoked_at", std::string("today")},
                                      {"reason", std::string("unknown")}}) {
    auto wrong = right;
    wrong[member] = value;
    EXPECT_EQ(refusal(with("/revoked", json::array{wrong})), "bundle.format") << member << value;
  }
}

}  // namespace
}  // namespace warifu::trust_bundle
