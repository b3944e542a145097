#include "operators/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "crypto/envelope.h"
#include "operators/authenticator.h"
#include "operators/token.h"
#include "sim/deterministic.h"

namespace warifu::operators {
namespace {

using ::testing::ElementsAre;

const ScopeId kScope = ScopeId::parse("0ne00000001").value();
const Timestamp kNow{std::chrono::seconds(1'790'000'000)};

Label label(std::string_view text) {
  return Label::parse(text).value();
}

// The rules of the interface, in memory. That the database keeps them is the store's conformance test.
class MemoryRecords final : public Records, public audit::Trail {
 public:
  Result<std::optional<BootstrapToken>> find_bootstrap_token(const TokenDigest& digest) override {
    const auto found = bootstrap.find(to_hex(digest));
    return found == bootstrap.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::optional<AccessToken>> find_access_token(const TokenDigest& digest) override {
    const auto found = access.find(to_hex(digest));
    return found == access.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::vector<ServiceKey>> find_service_keys(const Label& name) override {
    std::vector<ServiceKey> found;
    for (const auto& [place, key] : service_keys)
      if (key.name == name) found.push_back(key);
    return found;
  }
  Result<std::vector<ServiceKey>> list_service_keys(const ScopeId& scope, std::size_t limit) override {
    std::vector<ServiceKey> found;
    for (const auto& [place, key] : service_keys)
      if (key.scope == scope && found.size() < limit) found.push_back(key);
    return found;
  }
  Status insert_bootstrap_token(const BootstrapToken& token) override {
    bootstrap.emplace(to_hex(token.digest), token);
    return {};
  }
  Status use_bootstrap_token(const TokenDigest& digest, Timestamp at) override {
    bootstrap.at(to_hex(digest)).used_at = at;
    return {};
  }
  Status insert_access_token(const AccessToken& token) override {
    access.emplace(to_hex(token.digest), token);
    return {};
  }
  Status insert_service_key(const ServiceKey& key) override {
    service_keys.emplace(std::pair(key.scope, key.name), key);
    return {};
  }
  Status remove_service_key(const ScopeId& scope, const Label& name) override {
    if (service_keys.erase({scope, name}) == 1) return {};
    return Error{ErrorKind::kNotFound, "service_key.unknown", "no such key"};
  }
  Result<std::size_t> purge_tokens(const ScopeId&, Timestamp before) override {
    const auto expired = [&](const auto& entry) { return entry.second.expires_at < before; };
    return std::erase_if(bootstrap, expired) + std::erase_if(access, expired);
  }
  Result<std::optional<Bytes>> find_idempotent_answer(const IdempotencyPlace& place) override {
    const auto found = answers.find(place.key);
    return found == answers.end() ? std::nullopt : std::optional(found->second.sealed_answer);
  }
  Status insert_idempotent_answer(const IdempotentAnswer& answer) override {
    answers.emplace(answer.place.key, answer);
    return {};
  }
  Result<std::size_t> purge_idempotent_answers(const ScopeId&, Timestamp before) override {
    return std::erase_if(answers, [&](const auto& entry) { return entry.second.created_at < before; });
  }
  Status record(const ScopeId&, const audit::Entry& entry) override {
    entries.push_back(entry);
    return {};
  }
  std::vector<std::string> actions() const {
    std::vector<std::string> actions;
    for (const auto& entry : entries)
      actions.push_back(entry.action);
    return actions;
  }

  std::map<std::string, BootstrapToken> bootstrap;  // by the digest, in hexadecimal
  std::map<std::string, AccessToken> access;
  std::map<std::pair<ScopeId, Label>, ServiceKey> service_keys;
  std::map<std::string, IdempotentAnswer> answers;  // by the key
  std::vector<audit::Entry> entries;
};

class DeskTest : public ::testing::Test {
 protected:
  std::string bootstrap_token() { return desk_.issue_bootstrap_token(records_, records_, kScope).value(); }
  Result<IssuedToken> login(const std::string& bootstrap, std::chrono::seconds lifetime = kAccessLifetimeDefault,
                            Permissions permissions = Permissions::all()) {
    return desk_.login(records_, records_, {bootstrap, label("alice"), permissions, lifetime});
  }
  Result<Principal> authenticate(std::optional<std::string_view> authorization) {
    return Authenticator(clock_, envelope_key_.clone(), "dps.example").authenticate(records_, {authorization, "x"});
  }

  sim::SteppingClock clock_{kNow};
  sim::SeededEntropy entropy_{1};
  SecretBytes envelope_key_ = SecretBytes::random(entropy_, crypto::kEnvelopeKeySize);
  MemoryRecords records_;
  Desk desk_{clock_, entropy_, envelope_key_.clone()};
};

TEST_F(DeskTest, ExchangesABootstrapTokenForAnAccessToken) {
  const auto issued = login(bootstrap_token());
  ASSERT_TRUE(issued);
  EXPECT_EQ(issued->record.expires_at, kNow + kAccessLifetimeDefault);
  const auto who = authenticate("Bearer " + issued->text);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->scope, kScope);
  EXPECT_EQ(who->name, label("alice"));
  EXPECT_EQ(who->permissions, Permissions::all());
  EXPECT_THAT(records_.actions(), ElementsAre("bootstrap-token.create", "operator.login"));
}

TEST_F(DeskTest, StoresNoTokenButItsDigest) {
  const std::string bootstrap = bootstrap_token();
  const auto issued = login(bootstrap);
  ASSERT_TRUE(records_.bootstrap.contains(to_hex(digest_of(TokenKind::kBootstrap, bootstrap).value())));
  ASSERT_TRUE(records_.access.contains(to_hex(digest_of(TokenKind::kAccess, issued->text).value())));
  for (const auto& entry : records_.entries) {
    EXPECT_EQ(entry.detail.find(bootstrap), std::string::npos);
    EXPECT_EQ(entry.detail.find(issued->text), std::string::npos);
  }
}

TEST_F(DeskTest, TakesABootstrapTokenOnce) {
  const std::string bootstrap = bootstrap_token();
  ASSERT_TRUE(login(bootstrap));
  const auto again = login(bootstrap);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "bootstrap.used");
  EXPECT_EQ(again.error().kind, ErrorKind::kUnauthenticated);
  EXPECT_EQ(records_.access.size(), 1u);
}

TEST_F(DeskTest, TakesABootstrapTokenForADayAndNotLonger) {
  const std::string first = bootstrap_token();
  const std::string second = bootstrap_token();
  clock_.advance(kBootstrapLifetime - std::chrono::microseconds(1));
  EXPECT_TRUE(login(first));
  clock_.advance(std::chrono::microseconds(1));
  const auto late = login(second);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "bootstrap.expired");
}

TEST_F(DeskTest, RefusesAStrangersBootstrapToken) {
  bootstrap_token();
  sim::SeededEntropy elsewhere(2);
  const auto answer = login(make_token(TokenKind::kBootstrap, elsewhere));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "bootstrap.unknown");
}

TEST_F(DeskTest, BoundsTheLifeOfAnAccessToken) {
  const struct {
    std::chrono::seconds lifetime;
    bool is_fine;
  } rows[] = {{std::chrono::seconds(1), true},
              {kAccessLifetimeMax, true},
              {std::chrono::seconds(0), false},
              {std::chrono::seconds(-1), false},
              {kAccessLifetimeMax + std::chrono::seconds(1), false},
              {std::chrono::seconds::max(), false}};
  for (const auto& row : rows) {
    const std::string bootstrap = bootstrap_token();
    const auto answer = login(bootstrap, row.lifetime);
    ASSERT_EQ(answer.has_value(), row.is_fine) << row.lifetime.count();
    if (answer) continue;
    EXPECT_EQ(answer.error().code, "login.lifetime");
    // What was refused for its form costs nothing.
    EXPECT_TRUE(login(bootstrap));
  }
}

TEST_F(DeskTest, GivesTheTokenThePermissionsThatWereAskedForAndNoOther) {
  const auto wanted = Permissions::parse({"device:read", "metrics:read"}).value();
  const auto issued = login(bootstrap_token(), kAccessLifetimeDefault, wanted);
  const auto who = authenticate("Bearer " + issued->text).value();
  EXPECT_TRUE(who.permissions.contains(Permission::kDeviceRead));
  EXPECT_FALSE(who.permissions.contains(Permission::kHubKeyRead));
  EXPECT_FALSE(who.permissions.contains(Permission::kEnrollmentWrite));
}

TEST_F(DeskTest, RefusesATokenThatHasExpired) {
  const auto issued = login(bootstrap_token(), std::chrono::seconds(60));
  clock_.advance(std::chrono::seconds(60) - std::chrono::microseconds(1));
  EXPECT_TRUE(authenticate("Bearer " + issued->text));
  clock_.advance(std::chrono::microseconds(1));
  const auto late = authenticate("Bearer " + issued->text);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "credential.expired");
}

TEST_F(DeskTest, RefusesWhatIsNoAccessTokenOfOurs) {
  const std::string bootstrap = bootstrap_token();
  const std::string good = login(bootstrap)->text;
  sim::SeededEntropy elsewhere(2);
  std::string changed = good;
  changed.back() = changed.back() == 'A' ? 'E' : 'A';
  const struct {
    std::optional<std::string> authorization;
    std::string_view code;
  } rows[] = {{std::nullopt, "credential.missing"},
              {"", "credential.missing"},
              {good, "credential.missing"},
              {"Basic " + good, "credential.missing"},
              {"Bearer ", "credential.form"},
              {"Bearer " + bootstrap, "credential.form"},
              {"Bearer " + good.substr(0, good.size() - 1), "credential.form"},
              {"Bearer " + good + "A", "credential.form"},
              {"Bearer " + changed, "credential.unknown"},
              {"Bearer " + make_token(TokenKind::kAccess, elsewhere), "credential.unknown"}};
  ASSERT_TRUE(authenticate("Bearer " + good));
  for (const auto& row : rows) {
    const auto answer = authenticate(row.authorization);
    ASSERT_FALSE(answer) << row.authorization.value_or("none");
    EXPECT_EQ(answer.error().code, row.code) << row.authorization.value_or("none");
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnauthenticated);
    EXPECT_EQ(answer.error().message.find(good.substr(good.size() - 20)), std::string::npos)
        << "the answer tells the token";
  }
}

TEST_F(DeskTest, MakesAServiceKeyOnceUnderAName) {
  const auto who = authenticate("Bearer " + login(bootstrap_token())->text).value();
  const auto issued = desk_.create_service_key(records_, records_, who, {label("ci")});
  ASSERT_TRUE(issued);
  EXPECT_EQ(issued->key.size(), 32u);
  const auto& stored = records_.service_keys.at({kScope, label("ci")});
  EXPECT_EQ(std::ranges::search(stored.sealed_key, issued->key.reveal()).size(), 0u);
  const auto opened = crypto::open_envelope(envelope_key_, as_bytes("service-key/0ne00000001/ci"), stored.sealed_key);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(equal_constant_time(opened->reveal(), issued->key.reveal()));
  EXPECT_FALSE(crypto::open_envelope(envelope_key_, as_bytes("service-key/0ne00000001/cd"), stored.sealed_key));

  const auto again = desk_.create_service_key(records_, records_, who, {label("ci")});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "service_key.exists");
}

TEST_F(DeskTest, GivesAKeyNoPermissionThatItsMakerHasNot) {
  const auto weak = Permissions::parse({"enrollment:read", "service-key:write"}).value();
  const auto who = authenticate("Bearer " + login(bootstrap_token(), kAccessLifetimeDefault, weak)->text).value();
  const auto as_asked = desk_.create_service_key(records_, records_, who, {label("ci"), std::nullopt});
  ASSERT_TRUE(as_asked);
  EXPECT_THAT(as_asked->permissions.names(), ElementsAre("enrollment:read"));
  const auto more = desk_.create_service_key(
      records_, records_, who, {label("cd"), Permissions::parse({"enrollment:read", "enrollment:write"}).value()});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, "service_key.permissions");
  EXPECT_EQ(records_.service_keys.size(), 1u);

  const auto nothing = Permissions::parse({"service-key:write"}).value();
  const auto nobody = authenticate("Bearer " + login(bootstrap_token(), kAccessLifetimeDefault, nothing)->text).value();
  EXPECT_EQ(desk_.create_service_key(records_, records_, nobody, {label("ce"), std::nullopt}).error().code,
            "service_key.permissions");
}

TEST_F(DeskTest, DeletesAServiceKeyOfItsScopeOnly) {
  const auto who = authenticate("Bearer " + login(bootstrap_token())->text).value();
  const ScopeId elsewhere = ScopeId::parse("0ne00000002").value();
  ASSERT_TRUE(desk_.create_service_key(records_, records_, who, {label("ci"), std::nullopt}));
  Principal other = who;
  other.scope = elsewhere;
  EXPECT_EQ(desk_.remove_service_key(records_, records_, other, label("ci")).error().code, "service_key.unknown");
  ASSERT_TRUE(desk_.remove_service_key(records_, records_, who, label("ci")));
  EXPECT_TRUE(records_.service_keys.empty());
  EXPECT_EQ(records_.actions().back(), "service-key.delete");
}

TEST_F(DeskTest, MakesNoMoreThanAHundredServiceKeys) {
  const auto who = authenticate("Bearer " + login(bootstrap_token())->text).value();
  for (std::size_t i = 0; i < kServiceKeysMax; ++i)
    ASSERT_TRUE(desk_.create_service_key(records_, records_, who, {label("k" + std::to_string(i)), std::nullopt}));
  EXPECT_EQ(desk_.create_service_key(records_, records_, who, {label("one-more"), std::nullopt}).error().code,
            "service_key.too_many");
}

TEST_F(DeskTest, PurgesTokensSomeTimeAfterTheirExpiry) {
  const auto issued = login(bootstrap_token(), std::chrono::seconds(60));
  records_.entries.clear();
  clock_.advance(std::chrono::seconds(60 + 3600));
  ASSERT_TRUE(desk_.purge(records_, records_, kScope, std::chrono::hours(1)));
  EXPECT_EQ(records_.access.size(), 1u);
  EXPECT_TRUE(records_.entries.empty());  // nothing happened, nothing to tell
  clock_.advance(std::chrono::microseconds(1));
  ASSERT_TRUE(desk_.purge(records_, records_, kScope, std::chrono::hours(1)));
  EXPECT_TRUE(records_.access.empty());
  EXPECT_EQ(records_.bootstrap.size(), 1u);
  EXPECT_THAT(records_.actions(), ElementsAre("token.purge"));
}

TEST_F(DeskTest, PurgesAnswersADayAfterTheyWereGiven) {
  ASSERT_TRUE(
      records_.insert_idempotent_answer({{kScope, Uuid::v7(kNow, entropy_), "POST /x", "k1"}, Bytes{1}, clock_.now()}));
  clock_.advance(kIdempotencyKept);
  ASSERT_TRUE(desk_.purge(records_, records_, kScope, std::chrono::hours(1)));
  EXPECT_EQ(records_.answers.size(), 1u);
  EXPECT_TRUE(records_.entries.empty());
  clock_.advance(std::chrono::microseconds(1));
  ASSERT_TRUE(desk_.purge(records_, records_, kScope, std::chrono::hours(1)));
  EXPECT_TRUE(records_.answers.empty());
  EXPECT_THAT(records_.actions(), ElementsAre("idempotency.purge"));
}

TEST(Token, SaysWhatItIsAndIsNeverTheSameTwice) {
  sim::SeededEntropy entropy(1);
  const std::string first = make_token(TokenKind::kAccess, entropy);
  EXPECT_TRUE(first.starts_with("warifu_access_"));
  EXPECT_NE(first, make_token(TokenKind::kAccess, entropy));
  EXPECT_TRUE(make_token(TokenKind::kBootstrap, entropy).starts_with("warifu_bootstrap_"));
}

TEST(Permissions, NamesRoundTripAndNoOtherNameIsTaken) {
  const auto names = Permissions::all().names();
  EXPECT_EQ(names.size(), 21u);
  EXPECT_EQ(Permissions::parse(names).value(), Permissions::all());
  for (const auto& name : names)
    EXPECT_THAT(Permissions::parse({name}).value().names(), ElementsAre(name));
  for (const std::string bad : {"", "enrollment", "enrollment:Read", "enrollment:read ", "*", "device:write"}) {
    const auto parsed = Permissions::parse({"device:read", bad});
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, "permission.unknown");
  }
  EXPECT_EQ(Permissions::parse({}).error().code, "permission.none");
}

}  // namespace
}  // namespace warifu::operators
