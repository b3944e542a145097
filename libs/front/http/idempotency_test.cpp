#include "front/http/idempotency.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "crypto/envelope.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front {
namespace {

using operators::Permissions;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

constexpr const char* kServiceKeys = "/api/v1/service-keys";
constexpr const char* kEnrollments = "/api/v1/enrollments";

class IdempotencyTest : public ::testing::Test {
 protected:
  net::HttpRequest request(std::string target, std::string body, const std::string& key) const {
    auto request = World::TestDevice::request(net::Method::kPost, std::move(target), "", std::move(body));
    request.headers.emplace_back("Authorization", "Bearer " + token_);
    request.headers.emplace_back("idempotency-key", key);
    return request;
  }
  net::HttpResponse post(std::string target, std::string body, const std::string& key) {
    return world_.server.operator_asks(request(std::move(target), std::move(body), key));
  }
  std::string enrollment(const std::string& id) const {
    return fmt::format(R"({{"registration_id":"{}","attestation":{{"type":"tpm","tpm":{{"endorsement_key":"{}"}}}}}})",
                       id, to_base64(world_.tpm_b.ek().tpm2b()));
  }
  static bool is_replayed(const net::HttpResponse& response) {
    return net::find_header(response.headers, "Idempotency-Replayed") == "true";
  }

  World world_;
  std::string token_ = world_.server.access_token(Permissions::all()).value();
};

TEST_F(IdempotencyTest, GivesTheFirstAnswerAgainAndChangesNothing) {
  const auto first = post(kServiceKeys, R"({"name":"ci"})", "k1");
  ASSERT_EQ(first.status, 201);
  EXPECT_FALSE(is_replayed(first));
  const std::string stored = world_.stored();
  for (int i = 0; i < 3; ++i) {
    const auto again = post(kServiceKeys, R"({"name":"ci"})", "k1");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);  // the secret too
    EXPECT_EQ(again.content_type, first.content_type);
    EXPECT_TRUE(is_replayed(again));
  }
  EXPECT_EQ(world_.stored(), stored);
  // Without it, or with another, it is another request.
  EXPECT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k2").status, 409);
}

TEST_F(IdempotencyTest, GivesTheHeadersOfTheAnswerAgain) {
  const auto first = post(kEnrollments, enrollment("meter-2"), "k1");
  ASSERT_EQ(first.status, 201);
  const auto again = post(kEnrollments, enrollment("meter-2"), "k1");
  EXPECT_EQ(net::find_header(again.headers, "Location"), "/api/v1/enrollments/meter-2");
  EXPECT_EQ(again.body, first.body);
  EXPECT_TRUE(is_replayed(again));
}

TEST_F(IdempotencyTest, RefusesAKeyThatComesWithAnotherRequest) {
  ASSERT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k1").status, 201);
  const std::string stored = world_.stored();
  for (const auto& [target, body] :
       {std::pair{kServiceKeys, R"({"name":"cd"})"}, std::pair{kServiceKeys, R"({"name":"ci"} )"},
        std::pair{"/api/v1/service-keys?x=1", R"({"name":"ci"})"}}) {
    const auto answer = post(target, body, "k1");
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(member(answer, "status"), "422");
    EXPECT_EQ(member(answer, "code"), "idempotency.mismatch");
    EXPECT_THAT(answer.body, Not(HasSubstr("SharedAccessKey")));
  }
  EXPECT_EQ(world_.stored(), stored);
}

TEST_F(IdempotencyTest, KeepsKeysApartByTokenAndRoute) {
  ASSERT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k1").status, 201);
  EXPECT_EQ(post(kEnrollments, enrollment("meter-2"), "k1").status, 201);
  // Somebody else's key of the same name is not his, and neither is the secret behind it.
  token_ = world_.server.access_token(Permissions::all()).value();
  const auto answer = post(kServiceKeys, R"({"name":"ci"})", "k1");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(member(answer, "code"), "service_key.exists");
  EXPECT_EQ(post(kServiceKeys, R"({"name":"cd"})", "k1").status, 201);
}

TEST_F(IdempotencyTest, LeavesTheKeyOfARefusedRequestFree) {
  ASSERT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k0").status, 201);
  const std::string stored = world_.stored();
  EXPECT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k1").status, 409);
  EXPECT_EQ(post(kServiceKeys, "{}", "k1").status, 400);
  EXPECT_EQ(world_.stored(), stored);
  EXPECT_EQ(post(kServiceKeys, R"({"name":"cd"})", "k1").status, 201);
}

TEST_F(IdempotencyTest, AsksForThePermissionEachTime) {
  ASSERT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k1").status, 201);
  token_ = "warifu_access_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  EXPECT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k1").status, 401);
}

TEST_F(IdempotencyTest, RefusesAKeyThatIsNone) {
  const std::string stored = world_.stored();
  for (const std::string& key : {std::string(), std::string(65, 'k'), std::string("k\t"), std::string("k\x7f"),
                                 std::string("k\xc3\xa4"), std::string("k\0", 2)}) {
    const auto answer = post(kServiceKeys, R"({"name":"ci"})", key);
    EXPECT_EQ(answer.status, 400) << key;
    EXPECT_EQ(member(answer, "code"), "idempotency.key") << key;
  }
  auto twice = request(kServiceKeys, R"({"name":"ci"})", "k1");
  twice.headers.emplace_back("Idempotency-Key", "k2");
  EXPECT_EQ(member(world_.server.operator_asks(twice), "code"), "idempotency.key");
  EXPECT_EQ(world_.stored(), stored);
  EXPECT_EQ(post(kServiceKeys, R"({"name":"ci"})", std::string(64, '~')).status, 201);
  EXPECT_EQ(post(kServiceKeys, R"({"name":"cd"})", R"("a quoted string")").status, 201);
}

// The token of a login works once by itself, and who comes with it a second time is refused, key or not.
TEST_F(IdempotencyTest, DoesNotTakeTheKeyOfALogin) {
  const auto body = fmt::format(R"({{"bootstrap_token":"{}"}})", world_.server.bootstrap_token().value());
  ASSERT_EQ(post("/api/v1/login", body, "k1").status, 201);
  const auto again = post("/api/v1/login", body, "k1");
  EXPECT_EQ(again.status, 401);
  EXPECT_EQ(member(again, "code"), "bootstrap.used");
}

TEST_F(IdempotencyTest, StoresNoAnswerInTheClear) {
  const auto answer = post(kServiceKeys, R"({"name":"ci"})", "k1");
  const auto connection = member(answer, "connection_string");
  const auto key = connection.substr(connection.find("SharedAccessKey=") + 16);
  const std::string stored = world_.stored();
  EXPECT_THAT(stored, HasSubstr("POST /api/v1/service-keys k1"));
  std::string upper = to_hex(as_bytes(key));
  std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  EXPECT_EQ(stored.find(upper), std::string::npos);
}

TEST_F(IdempotencyTest, KeepsAnAnswerForADay) {
  ASSERT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k1").status, 201);
  const auto purge = [&] {
    test::must(world_.store->write([&](store::Transaction& t) {
      return world_.server.desk.purge(t.operators(), t.audit(), test::scope_id(), std::chrono::hours(48));
    }));
  };
  world_.clock.advance(operators::kIdempotencyKept);
  purge();
  token_ = world_.server.access_token(Permissions::all()).value();
  EXPECT_THAT(world_.stored(), HasSubstr("POST /api/v1/service-keys k1"));
  world_.clock.advance(std::chrono::microseconds(1));
  purge();
  EXPECT_THAT(world_.stored(), Not(HasSubstr("POST /api/v1/service-keys k1")));
  EXPECT_THAT(world_.stored(), HasSubstr("idempotency.purge"));
}

// A store whose disk takes its time: changes wait until they are let through.
class WaitingStore final : public store::Store {
 public:
  explicit WaitingStore(store::Store& store) : store_(store) {}
  Status read(const std::function<Status(store::Snapshot&)>& use) override { return store_.read(use); }
  void submit(store::Change change) override { waiting_.push_back(std::move(change)); }
  Result<std::optional<Timestamp>> latest_audit_at() override { return store_.latest_audit_at(); }
  void let_one_through() {
    const auto change = std::make_shared<store::Change>(std::move(waiting_.front()));
    waiting_.pop_front();
    change->done(store_.write(change->apply));
  }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  store::Store& store_;
  std::deque<store::Change> waiting_;
};

TEST_F(IdempotencyTest, RefusesASecondRequestWhileTheFirstIsWorkedOn) {
  WaitingStore slow(*world_.store);
  test::Server server(slow, world_.clock, world_.entropy);
  std::vector<net::HttpResponse> answers;
  const auto ask = [&](const std::string& body, const std::string& key) {
    server.operators.handle(request(kServiceKeys, body, key), [&, body, key](net::HttpResponse answer) {
      answers.push_back(answer);
      // The first thing that a client does with a refusal is to ask again.
      if (answer.status == 409 && member(answer, "code") == "service_key.exists" && answers.size() < 10)
        server.operators.handle(request(kServiceKeys, body, key),
                                [&](net::HttpResponse next) { answers.push_back(std::move(next)); });
    });
  };
  ask(R"({"name":"ci"})", "k1");
  EXPECT_TRUE(answers.empty());
  ask(R"({"name":"ci"})", "k1");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 409);
  EXPECT_EQ(member(answers[0], "code"), "idempotency.in_progress");
  EXPECT_EQ(slow.waiting(), 1u);
  ask(R"({"name":"cd"})", "k2");  // another key goes its way
  EXPECT_EQ(slow.waiting(), 2u);
  slow.let_one_through();
  slow.let_one_through();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[1].status, 201);
  ask(R"({"name":"ci"})", "k1");
  slow.let_one_through();
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_TRUE(is_replayed(answers[3]));
  EXPECT_EQ(answers[3].body, answers[1].body);
  // A refused one frees its key before it is told.
  ask(R"({"name":"ci"})", "k3");
  slow.let_one_through();
  ASSERT_EQ(answers.size(), 5u);
  EXPECT_EQ(member(answers[4], "code"), "service_key.exists");
  EXPECT_EQ(slow.waiting(), 1u);
}

// What a change does beside the database is done for the change, and not for its repetition.
TEST_F(IdempotencyTest, CommitsOnce) {
  int committed = 0;
  const auto handle = [&](const Call&) {
    return Result<Answer>(Durable{[](store::Transaction& t) -> Result<net::HttpResponse> {
                                    TRY_STATUS(t.audit().record(test::scope_id(), {"test", "change", "thing"}));
                                    return net::HttpResponse{201, {}, "text/plain", "made"};
                                  },
                                  [&] { ++committed; }});
  };
  const Router router({{net::Method::kPost,
                        "/things",
                        Access::demands(operators::Permission::kEnrollmentWrite),
                        handle,
                        {},
                        /*takes_idempotency_key=*/true}},
                      [](const Error& error, std::string_view, std::string_view) {
                        return net::HttpResponse{500, {}, "text/plain", error.message};
                      });
  Idempotency idempotency(world_.clock, world_.entropy, test::Server::envelope_key());
  Dispatcher dispatcher(router, world_.server.authenticator, *world_.store, world_.server.metrics, world_.clock,
                        world_.entropy, {.idempotency = &idempotency});
  for (int i = 0; i < 3; ++i) {
    const auto answer = test::Server::ask(dispatcher, request("/things", "", "k1"));
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, "made");
  }
  EXPECT_EQ(committed, 1);
  test::Server::ask(dispatcher, request("/things", "", "k2"));
  EXPECT_EQ(committed, 2);
}

// Another server on the same database knows nothing of what is in use here.
TEST_F(IdempotencyTest, HappensOnceOnTwoNodes) {
  WaitingStore slow_here(*world_.store);
  WaitingStore slow_there(*world_.store);
  test::Server here(slow_here, world_.clock, world_.entropy);
  test::Server there(slow_there, world_.clock, world_.entropy);
  std::vector<net::HttpResponse> answers;
  for (test::Server* server : {&here, &there})
    server->operators.handle(request(kServiceKeys, R"({"name":"ci"})", "k1"),
                             [&](net::HttpResponse answer) { answers.push_back(std::move(answer)); });
  slow_there.let_one_through();
  slow_here.let_one_through();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].status, 201);
  EXPECT_FALSE(is_replayed(answers[0]));
  EXPECT_EQ(answers[1].body, answers[0].body);
  EXPECT_TRUE(is_replayed(answers[1]));
}

// An answer that was moved to another key, token or route of the database opens nothing.
TEST_F(IdempotencyTest, DoesNotOpenAnAnswerInAnotherPlace) {
  ASSERT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k1").status, 201);
  auto connection =
      store::SqliteConnection::open(world_.folder.path() / "warifu.sqlite3", store::SqliteConnection::Mode::kExisting)
          .value();
  test::must(connection.execute("UPDATE idempotency_keys SET idempotency_key = 'k2'"));
  EXPECT_EQ(post(kServiceKeys, R"({"name":"ci"})", "k2").status, 500);
}

}  // namespace
}  // namespace warifu::front
