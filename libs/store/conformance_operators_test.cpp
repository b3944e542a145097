// What operators' tokens, service keys and kept answers may rely on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"
#include "store/sample_records.h"

namespace warifu::store {
namespace {

using sample::fields;

class OperatorConformance : public ConformanceTest {};

TEST_P(OperatorConformance, FindsServiceKeysByNameInAllScopesAndListsThoseOfOne) {
  const auto key = [](const ScopeId& scope, std::string_view name) {
    return operators::ServiceKey{scope, Label::parse(name).value(), sample::bytes(60, 1),
                                 operators::Permissions::of_service_api(), sample::time(1)};
  };
  for (const auto& row : {key(here_, "edge"), key(here_, "beta"), key(there_, "edge")})
    ASSERT_TRUE(change([&](Transaction& t) { return t.operators().insert_service_key(row); }));
  const Label edge = Label::parse("edge").value();
  const auto named = found([&](Snapshot& s) { return s.operators().find_service_keys(edge); });
  ASSERT_EQ(named.size(), 2u);
  EXPECT_NE(named[0].scope, named[1].scope);
  EXPECT_EQ(named[0].sealed_key, sample::bytes(60, 1));
  EXPECT_EQ(named[0].permissions, operators::Permissions::of_service_api());
  EXPECT_EQ(named[0].created_at, sample::time(1));
  const auto listed = found([&](Snapshot& s) { return s.operators().list_service_keys(here_, 10); });
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].name.text(), "beta");
  EXPECT_EQ(found([&](Snapshot& s) { return s.operators().list_service_keys(here_, 1); }).size(), 1u);

  const auto remove = [&](Transaction& t) { return t.operators().remove_service_key(here_, edge); };
  ASSERT_TRUE(change(remove));
  EXPECT_EQ(code_of(remove), "service_key.unknown");
  const auto left = found([&](Snapshot& s) { return s.operators().find_service_keys(edge); });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].scope, there_);
}

TEST_P(OperatorConformance, TokensAreFoundUsedOnceAndPurged) {
  const operators::BootstrapToken bootstrap = {sample::bytes(32, 1), here_, sample::time(100), std::nullopt};
  const operators::AccessToken access = {sample::bytes(32, 2),
                                         here_,
                                         sample::uuid(sample::Kind::kToken, 2),
                                         Label::parse("alice").value(),
                                         operators::Permissions::parse({"device:read", "metrics:read"}).value(),
                                         sample::time(0),
                                         sample::time(200)};
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.operators().insert_bootstrap_token(bootstrap));
    return t.operators().insert_access_token(access);
  }));
  const auto stored = found([&](Snapshot& s) { return s.operators().find_access_token(access.digest); });
  ASSERT_TRUE(stored);
  EXPECT_EQ(fields(*stored), fields(access));

  const auto use = [&](Transaction& t) {
    return t.operators().use_bootstrap_token(bootstrap.digest, sample::time(50));
  };
  EXPECT_TRUE(change(use));
  EXPECT_EQ(code_of(use), "bootstrap_token.used");
  EXPECT_EQ(code_of([&](Transaction& t) { return t.operators().use_bootstrap_token(access.digest, sample::time(50)); }),
            "bootstrap_token.unknown");
  EXPECT_EQ(found([&](Snapshot& s) { return s.operators().find_bootstrap_token(bootstrap.digest); })->used_at,
            sample::time(50));

  std::size_t purged = 0;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY(purged, t.operators().purge_tokens(here_, sample::time(150)));
    return {};
  }));
  EXPECT_EQ(purged, 1U);
  EXPECT_TRUE(found([&](Snapshot& s) { return s.operators().find_access_token(access.digest); }));
}

TEST_P(OperatorConformance, AnAnswerIsKeptOnceInItsPlace) {
  using operators::IdempotencyPlace;
  const IdempotencyPlace place{here_, sample::uuid(sample::Kind::kToken, 1), "POST /api/v1/enrollments", "k'1\"; --"};
  const operators::IdempotentAnswer answer{place, sample::bytes(400, 1), sample::time(100)};
  std::optional<Bytes> kept;
  const auto find = [&](const IdempotencyPlace& where) {
    EXPECT_TRUE(change([&](Transaction& t) -> Status {
      TRY(kept, t.operators().find_idempotent_answer(where));
      return {};
    }));
    return kept;
  };
  const auto insert = [&](Transaction& t) { return t.operators().insert_idempotent_answer(answer); };
  EXPECT_FALSE(find(place));
  ASSERT_TRUE(change(insert));
  EXPECT_EQ(code_of(insert), "idempotency.exists");
  EXPECT_EQ(find(place), answer.sealed_answer);
  for (const auto& other : {IdempotencyPlace{there_, place.token_id, place.route, place.key},
                            IdempotencyPlace{here_, sample::uuid(sample::Kind::kToken, 2), place.route, place.key},
                            IdempotencyPlace{here_, place.token_id, "POST /api/v1/service-keys", place.key},
                            IdempotencyPlace{here_, place.token_id, place.route, "K'1\"; --"}}) {
    EXPECT_FALSE(find(other)) << other.route << other.key;
    EXPECT_TRUE(change([&](Transaction& t) {
      return t.operators().insert_idempotent_answer({other, sample::bytes(400, 2), sample::time(101)});
    }));
  }
  std::size_t purged = 0;
  const auto purge = [&](std::uint64_t before) {
    EXPECT_TRUE(change([&](Transaction& t) -> Status {
      TRY(purged, t.operators().purge_idempotent_answers(here_, sample::time(before)));
      return {};
    }));
    return purged;
  };
  EXPECT_EQ(purge(100), 0U);
  EXPECT_EQ(purge(101), 1U);
  EXPECT_FALSE(find(place));
  EXPECT_EQ(purge(102), 3U);
  EXPECT_TRUE(find({there_, place.token_id, place.route, place.key}));
}

INSTANTIATE_TEST_SUITE_P(Databases, OperatorConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
