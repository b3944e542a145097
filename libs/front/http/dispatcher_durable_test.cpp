// What becomes of a change, and when it is told: committed, refused, refused and kept, or undone after a dry run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/http/dispatcher.h"
#include "front/http/problem.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front {
namespace {

using ::testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

class DispatcherDurableTest : public ::testing::Test {
 protected:
  // One route that writes an audit entry and then decides.
  net::HttpResponse ask(const Result<Decision>& decision, bool is_rehearsal = false) {
    const auto handle = [&](const Call&) -> Result<Answer> {
      return Answer(Durable{[&](store::Transaction& transaction) -> Result<Decision> {
                              TRY_STATUS(transaction.audit().record(test::scope_id(), {"test", "mark.made", "mark"}));
                              return decision;
                            },
                            [this] { ++committed_; }, is_rehearsal});
    };
    Dispatcher dispatcher(
        Router({{net::Method::kPost, "/mark", Access::open("a test"), handle}},
               [](const Error& error, std::string_view id, std::string_view) { return problem(error, id); }),
        world_.server.authenticator, *world_.store, world_.server.metrics, world_.clock, world_.entropy);
    return test::Server::ask(dispatcher, World::TestDevice::request(net::Method::kPost, "/mark", "", ""));
  }
  bool is_marked() { return world_.stored().find("mark.made") != std::string::npos; }

  const Error refusal_{ErrorKind::kRefused, "test.refused", "no"};
  const net::HttpResponse yes_{201, {}, "text/plain", "yes"};
  World world_;
  int committed_ = 0;
};

TEST_F(DispatcherDurableTest, TellsWhatWasDoneOnceItIsOnDisk) {
  EXPECT_EQ(ask(Decision(yes_)).body, "yes");
  EXPECT_TRUE(is_marked());
  EXPECT_EQ(committed_, 1);
}

TEST_F(DispatcherDurableTest, AnErrorUndoesTheChange) {
  const auto answer = ask(refusal_);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(member(answer, "code"), "test.refused");
  EXPECT_FALSE(is_marked());
  EXPECT_EQ(committed_, 0);
}

TEST_F(DispatcherDurableTest, ARefusalThatIsWorthKeepingIsCommittedAndAnswered) {
  const auto answer = ask(Decision(refusal_));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(member(answer, "code"), "test.refused");
  EXPECT_TRUE(is_marked());
  EXPECT_EQ(committed_, 0) << "it is no success";
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr(R"(code="test.refused")"));
}

TEST_F(DispatcherDurableTest, ADryRunIsUndoneAndAnswered) {
  const auto before = world_.stored();
  EXPECT_EQ(ask(Decision(yes_), true).body, "yes");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(committed_, 0);
  EXPECT_EQ(member(ask(refusal_, true), "code"), "test.refused");
  EXPECT_EQ(member(ask(Decision(refusal_), true), "code"), "test.refused");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(committed_, 0);
}

}  // namespace
}  // namespace warifu::front
