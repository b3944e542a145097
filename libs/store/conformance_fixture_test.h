#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <type_traits>

#include "store/conformance_world_test.h"

namespace warifu::store {

// Whether what the database is asked now comes from the repositories (see query_plans_test.cpp).
inline std::atomic<bool> running_conformance = false;

// A database with two scopes, of every kind that there is.
class ConformanceTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    world_.store = GetParam().open(world_);
    ASSERT_NE(world_.store, nullptr);
    for (const auto& scope : {here_, there_})
      ASSERT_TRUE(
          change([&](Transaction& t) { return t.provisioning().insert_scope(scope, "Example", sample::time(0)); }));
    running_conformance = true;
  }
  void TearDown() override { running_conformance = false; }

  // A change with its audit entry.
  Status change(const std::function<Status(Transaction&)>& apply) {
    return world_.store->write([&](Transaction& t) -> Status {
      TRY_STATUS(apply(t));
      return t.audit().record(here_, {"test", "change", "record"});
    });
  }
  std::string code_of(const std::function<Status(Transaction&)>& apply) {
    const Status status = change(apply);
    return status ? "" : std::string(status.error().code);
  }
  // Without an entry in the audit log.
  std::string code_without_entry(const std::function<Status(Transaction&)>& apply) {
    const Status status = world_.store->write(apply);
    return status ? "" : std::string(status.error().code);
  }
  // What `query` finds in a snapshot.
  template <class Find>
  auto found(Find find) {
    using Found = typename std::invoke_result_t<Find, Snapshot&>::value_type;
    std::optional<Found> out;
    const Status status = world_.store->read([&](Snapshot& s) -> Status {
      TRY(out, find(s));
      return {};
    });
    EXPECT_TRUE(status) << to_string(status.error());
    return *std::move(out);
  }

  const ScopeId here_ = sample::scope("here");
  const ScopeId there_ = sample::scope("there");
  World world_;
};

}  // namespace warifu::store
