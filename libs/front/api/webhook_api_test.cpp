#include "front/api/webhook_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "webhooks/limits.h"

namespace warifu::front::api {
namespace {

using test::member;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

constexpr const char* kAll = "/api/v1/webhooks";

class WebhookApiTest : public ::testing::Test {
 protected:
  net::HttpResponse add(const std::string& name, const std::string& more = {}) {
    return alice_.post(kAll,
                       fmt::format(R"({{"name":"{}","url":"https://events.example.com/s3cret-path"{}}})", name, more));
  }
  World world_;
  test::Operator alice_{world_.server};
};

TEST_F(WebhookApiTest, TellsTheSecretOnce) {
  const auto added = add("pager", R"(,"event_types":["io.warifu.alert.raised"])");
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_THAT(member(added, "secret"), MatchesRegex("whsec_[A-Za-z0-9+/]{43}="));
  const auto shown = alice_.get(std::string(kAll) + "/pager");
  EXPECT_EQ(member(shown, "state"), "working");
  EXPECT_EQ(member(shown, "waiting"), "0");
  EXPECT_EQ(member(shown, "event_types"), R"(["io.warifu.alert.raised"])");
  EXPECT_EQ(member(shown, "last_success_at"), "null");
  EXPECT_THAT(shown.body, Not(HasSubstr("whsec_")));
  EXPECT_THAT(alice_.get(kAll).body, Not(HasSubstr("whsec_")));
  const auto stored = world_.stored();
  EXPECT_THAT(stored, HasSubstr(R"("origin":"https://events.example.com")"));
  EXPECT_THAT(stored, Not(HasSubstr("s3cret-path"))) << "the path may be a secret of the receiver";
}

TEST_F(WebhookApiTest, RotatesTheSecretAndSaysHowLongTheOldOneSigns) {
  const auto first = member(add("pager"), "secret");
  const auto rotated = alice_.post(std::string(kAll) + "/pager/secret");
  ASSERT_EQ(rotated.status, 201) << rotated.body;
  EXPECT_THAT(member(rotated, "secret"), StartsWith("whsec_"));
  EXPECT_NE(member(rotated, "secret"), first);
  EXPECT_EQ(member(rotated, "previous_secret_until"), to_rfc3339(world_.clock.now() + std::chrono::hours(24)));
}

TEST_F(WebhookApiTest, TheOldSecretIsNotKeptLongerThanItSigns) {
  add("pager");
  alice_.post(std::string(kAll) + "/pager/secret");
  const auto end_previous_secrets = [&] {
    test::must(world_.store->write([&](store::Transaction& t) {
      return world_.server.webhooks.end_previous_secrets(t.webhooks(), t.audit(), test::scope_id());
    }));
    std::optional<Bytes> kept;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto webhook, s.webhooks().find_webhook(test::scope_id(), Label::parse("pager").value()));
      kept = webhook->sealed_previous_secret;
      return {};
    }));
    return kept.has_value();
  };
  world_.clock.advance(std::chrono::hours(24) - std::chrono::seconds(1));
  EXPECT_TRUE(end_previous_secrets());
  world_.clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(end_previous_secrets());
  EXPECT_THAT(world_.stored(), HasSubstr("webhook.end-previous-secret"));
}

// A receiver was mended: nobody waits for an hour to see it.
TEST_F(WebhookApiTest, ATestEndsThePauseAfterAFailure) {
  add("pager");
  const auto later = world_.clock.now() + std::chrono::hours(1);
  test::must(world_.store->write([&](store::Transaction& t) {
    return t.webhooks().put_progress(test::scope_id(), Label::parse("pager").value(),
                                     {.resume_at = later, .failures = 12, .failing_since = world_.clock.now()});
  }));
  ASSERT_EQ(alice_.post(std::string(kAll) + "/pager/test").status, 202);
  std::size_t due = 0;
  test::must(world_.store->read([&](store::Snapshot& s) -> Status {
    const auto node = Uuid::v7(world_.clock.now(), world_.entropy);
    TRY(const auto all, s.webhooks().list_due(node, world_.clock.now()));
    due = all.size();
    return {};
  }));
  EXPECT_EQ(due, 1U);
  const auto shown = alice_.get(std::string(kAll) + "/pager");
  EXPECT_EQ(member(shown, "state"), "retrying") << "a failure that goes on stays one";
  EXPECT_EQ(member(shown, "failures"), "0") << "and its pauses begin anew: many tests do not make them longer";
}

// Twice would end the secret that the receiver still knows.
TEST_F(WebhookApiTest, RotatesOnceForAnIdempotencyKey) {
  add("pager");
  const auto rotate = [&] {
    return alice_.ask(net::Method::kPost, std::string(kAll) + "/pager/secret", {}, {{"Idempotency-Key", "a-key"}});
  };
  const auto first = rotate();
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(rotate().body, first.body);
}

TEST_F(WebhookApiTest, ATestWaitsForThatWebhookAlone) {
  add("pager", R"(,"event_types":["io.warifu.approval.waiting"])");
  add("other");
  const auto tested = alice_.post(std::string(kAll) + "/pager/test");
  ASSERT_EQ(tested.status, 202) << tested.body;
  EXPECT_EQ(member(alice_.get(std::string(kAll) + "/pager"), "waiting"), "1");
  EXPECT_EQ(member(alice_.get(std::string(kAll) + "/other"), "waiting"), "0");
  const auto event_id = member(tested, "event_id");
  const auto waiting = alice_.get(std::string(kAll) + "/pager/waiting/" + event_id);
  EXPECT_EQ(waiting.status, 200) << waiting.body;
  EXPECT_EQ(member(waiting, "event_id"), event_id);
  EXPECT_EQ(member(waiting, "attempts"), "0");
  EXPECT_EQ(member(alice_.get(std::string(kAll) + "/other/waiting/" + event_id), "code"), "webhook.not_waiting");
  EXPECT_EQ(member(alice_.get(std::string(kAll) + "/nobody/waiting/" + event_id), "code"), "webhook.unknown");
  EXPECT_EQ(alice_.get(std::string(kAll) + "/pager/waiting/none").status, 400);
  EXPECT_EQ(alice_.remove(std::string(kAll) + "/pager").status, 204);
  EXPECT_EQ(member(alice_.get(std::string(kAll) + "/pager"), "code"), "webhook.unknown");
}

TEST_F(WebhookApiTest, RefusesWhatCannotBe) {
  add("pager");
  const auto code_of = [&](const std::string& body) { return member(alice_.post(kAll, body), "code"); };
  EXPECT_EQ(member(add("pager"), "code"), "webhook.exists");
  EXPECT_EQ(member(add("a", R"(,"event_types":["io.warifu.nothing"])"), "code"), "webhook.event_type");
  EXPECT_EQ(member(add("a", R"(,"event_types":[1])"), "code"), "json.type");
  EXPECT_EQ(member(add("a", R"(,"ca":"no certificate")"), "code"), "webhook.ca");
  EXPECT_EQ(member(add("a", R"(,"secret":"mine")"), "code"), "json.unknown-field");
  EXPECT_EQ(code_of(R"({"name":"a","url":"http://events.example.com/"})"), "webhook.url");
  EXPECT_EQ(code_of(R"({"name":"a","url":"https://169.254.169.254/"})"), "webhook.address");
  EXPECT_EQ(code_of(R"({"name":"a"})"), "json.missing");
  for (const std::string path : {"", "/secret", "/test"}) {
    const auto target = std::string(kAll) + "/nobody" + path;
    const auto response = path.empty() ? alice_.get(target) : alice_.post(target);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(member(response, "code"), "webhook.unknown");
  }
  EXPECT_EQ(alice_.remove(std::string(kAll) + "/nobody").status, 404);
  for (std::size_t i = 1; i < webhooks::kWebhooksMax; ++i)
    ASSERT_EQ(add(fmt::format("w{}", i)).status, 201);
  EXPECT_EQ(member(add("one-more"), "code"), "webhook.too_many");
}

TEST_F(WebhookApiTest, AnotherScopeSeesNothingOfIt) {
  add("pager");
  const auto event_id = member(alice_.post(std::string(kAll) + "/pager/test"), "event_id");
  const auto there = ScopeId::parse("there").value();
  test::must(world_.server.make_scope(there));
  const test::Operator bob(world_.server, operators::Permissions::all(), there);
  EXPECT_EQ(bob.get(kAll).body, R"({"items":[]})");
  for (const auto& response :
       {bob.get(std::string(kAll) + "/pager"), bob.remove(std::string(kAll) + "/pager"),
        bob.post(std::string(kAll) + "/pager/secret"), bob.post(std::string(kAll) + "/pager/test"),
        bob.get(std::string(kAll) + "/pager/waiting/" + event_id)})
    EXPECT_EQ(response.status, 404);
  EXPECT_EQ(alice_.get(std::string(kAll) + "/pager").status, 200);
}

}  // namespace
}  // namespace warifu::front::api
