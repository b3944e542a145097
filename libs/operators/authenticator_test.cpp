#include "operators/authenticator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "operators/service_key.h"
#include "sim/deterministic.h"

namespace warifu::operators {
namespace {

const ScopeId kScope = ScopeId::parse("0ne00000001").value();
const ScopeId kOtherScope = ScopeId::parse("0ne00000002").value();
constexpr std::int64_t kNowSeconds = 1'790'000'000;
const std::string kLater = std::to_string(kNowSeconds + 3600);

Label label(std::string_view text) {
  return Label::parse(text).value();
}

// Service keys of two scopes.
class Keys final : public RecordsView {
 public:
  Result<std::optional<BootstrapToken>> find_bootstrap_token(const TokenDigest&) override {
    return std::optional<BootstrapToken>();
  }
  Result<std::optional<AccessToken>> find_access_token(const TokenDigest&) override {
    return std::optional<AccessToken>();
  }
  Result<std::vector<ServiceKey>> find_service_keys(const Label& name) override {
    std::vector<ServiceKey> found;
    for (const auto& key : keys)
      if (key.name == name) found.push_back(key);
    return found;
  }
  Result<std::vector<ServiceKey>> list_service_keys(const ScopeId&, std::size_t) override { return keys; }

  std::vector<ServiceKey> keys;
};

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text)
    encoded += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : c == '.' ? "%2e" : std::string(1, c);
  return encoded;
}

// As the SDKs sign: over sr as it stands there.
std::string signature(const SecretBytes& key, std::string_view resource, std::string_view name = "ci",
                      std::string_view expiry = kLater) {
  const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, key.reveal(),
                                {as_bytes(resource), as_bytes("\n"), as_bytes(expiry)});
  return fmt::format("SharedAccessSignature sr={}&sig={}&skn={}&se={}", resource,
                     percent_encoded(to_base64(mac.bytes())), name, expiry);
}

class AuthenticatorTest : public ::testing::Test {
 protected:
  AuthenticatorTest() {
    add(kScope, "ci", key_);
    add(kOtherScope, "ci", other_key_);
  }
  void add(const ScopeId& scope, std::string_view name, const SecretBytes& key) {
    keys_.keys.push_back({scope, label(name), seal_service_key(envelope_key_, scope, label(name), key, entropy_),
                          Permissions::of_service_api(), Timestamp()});
  }
  Result<Principal> authenticate(std::string_view authorization, std::optional<std::string_view> host = "dps.example") {
    return authenticator_.authenticate(keys_, {authorization, host});
  }
  std::string_view refusal_of(std::string_view authorization, std::optional<std::string_view> host = "dps.example") {
    const auto answer = authenticate(authorization, host);
    if (answer) return "believed";
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnauthenticated);
    return answer.error().code;
  }

  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(kNowSeconds))};
  sim::SeededEntropy entropy_{1};
  SecretBytes envelope_key_{Bytes(32, 0xE7)};
  SecretBytes key_{Bytes(32, 1)};
  SecretBytes other_key_{Bytes(32, 2)};
  Keys keys_;
  Authenticator authenticator_{clock_, envelope_key_.clone(), "dps.example"};
};

TEST_F(AuthenticatorTest, FindsTheScopeByTheKeyThatSigned) {
  const auto who = authenticate(signature(key_, "dps.example"));
  ASSERT_TRUE(who) << to_string(who.error());
  EXPECT_EQ(who->scope, kScope);
  EXPECT_EQ(who->actor(), "service-key:ci");
  EXPECT_EQ(who->permissions, Permissions::of_service_api());
  EXPECT_EQ(authenticate(signature(other_key_, "dps.example"))->scope, kOtherScope);
}

TEST_F(AuthenticatorTest, TakesTheHostAsEachSdkWritesIt) {
  const struct {
    std::string resource;
    std::optional<std::string_view> host;
  } rows[] = {
      {"dps.example", "dps.example"},                                     // Node
      {"dps%2eexample", "dps.example"},                                   // encoded
      {"DPS.Example", "dps.example:443"},                                 // another case, and a port
      {"dps.example", std::nullopt},                                      // the name of the connection string
      {"dps.example", "10.0.0.1:9443"},   {"10.0.0.1", "10.0.0.1:9443"},  // the name that the request was sent to
      {"localhost", "LocalHost"},         {"[::1]", "[::1]:9443"},       {"[::1]", "[::1]"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(refusal_of(signature(key_, row.resource), row.host), "believed") << row.resource;
}

TEST_F(AuthenticatorTest, RefusesASignatureForAnotherHost) {
  for (const std::string_view resource : {"dps.example.org", "dps", "dps.example/enrollments", "%2edps.example", "x"})
    EXPECT_EQ(refusal_of(signature(key_, resource)), "token.resource") << resource;
  EXPECT_EQ(refusal_of(signature(key_, "localhost"), std::nullopt), "token.resource");
}

TEST_F(AuthenticatorTest, RefusesWhatNoKeyOfThatNameSigned) {
  EXPECT_EQ(refusal_of(signature(SecretBytes(Bytes(32, 3)), "dps.example")), "credential.unknown");
  EXPECT_EQ(refusal_of(signature(key_, "dps.example", "cd")), "credential.unknown");
  EXPECT_EQ(refusal_of(signature(key_, "dps.example", "no name")), "credential.unknown");
  const std::string without_name = signature(key_, "dps.example");
  EXPECT_EQ(refusal_of(without_name.substr(0, without_name.find("&skn")) + "&se=" + kLater), "credential.unknown");
  // Signed over the decoded host: these bytes were not signed.
  const std::string good = signature(key_, "dps.example");
  EXPECT_EQ(refusal_of("SharedAccessSignature sr=dps%2eexample" + good.substr(good.find("&sig"))),
            "credential.unknown");
}

TEST_F(AuthenticatorTest, RefusesAnExpiredSignature) {
  const std::string text = signature(key_, "dps.example");
  clock_.advance(std::chrono::hours(1) + std::chrono::minutes(5));
  EXPECT_EQ(refusal_of(text), "believed");
  clock_.advance(std::chrono::microseconds(1));
  EXPECT_EQ(refusal_of(text), "token.expired");
}

TEST_F(AuthenticatorTest, RefusesEveryTruncation) {
  const std::string good = signature(key_, "dps.example");
  // The last digits of the expiry: fewer of them are another time, which was not signed.
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(refusal_of(good.substr(0, size)), "believed") << size;
}

TEST_F(AuthenticatorTest, RefusesAKeyThatWasRemoved) {
  const std::string text = signature(key_, "dps.example");
  ASSERT_TRUE(authenticate(text));
  keys_.keys.erase(keys_.keys.begin());
  EXPECT_EQ(refusal_of(text), "credential.unknown");
}

TEST_F(AuthenticatorTest, DoesNotOpenAKeyThatWasMovedToAnotherScope) {
  keys_.keys.front().scope = ScopeId::parse("0ne00000003").value();
  EXPECT_FALSE(authenticate(signature(key_, "dps.example")));
}

}  // namespace
}  // namespace warifu::operators
