// What waits for another program: done by a worker, so that no thread of the connections waits with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

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

class DispatcherSlowTest : public ::testing::Test {
 protected:
  // One route, whose answer is `work`.
  net::HttpResponse ask(Workers& workers, const std::function<Result<net::HttpResponse>()>& work) {
    Dispatcher dispatcher(
        Router({{net::Method::kPost, "/slow", Access::open("a test"),
                 [&](const Call&) -> Result<Answer> { return Answer(Slow{work}); }}},
               [](const Error& error, std::string_view id, std::string_view) { return problem(error, id); }),
        world_.server.authenticator, *world_.store, world_.server.metrics, world_.clock, world_.entropy,
        {.workers = &workers});
    return test::Server::ask(dispatcher, World::TestDevice::request(net::Method::kPost, "/slow", "", ""));
  }

  World world_;
};

TEST_F(DispatcherSlowTest, IsDoneByAWorker) {
  Workers workers(1);
  std::thread::id done_by;
  const auto answer = ask(workers, [&]() -> Result<net::HttpResponse> {
    done_by = std::this_thread::get_id();
    return net::HttpResponse{201, {}, "text/plain", "done"};
  });
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "done");
  EXPECT_NE(done_by, std::thread::id());
  EXPECT_NE(done_by, std::this_thread::get_id());
}

TEST_F(DispatcherSlowTest, TellsWhatWentWrong) {
  Workers workers(1);
  const auto answer = ask(workers, []() -> Result<net::HttpResponse> {
    return Error{ErrorKind::kUnavailable, "test.away", "nobody answers"};
  });
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(member(answer, "code"), "test.away");
}

TEST_F(DispatcherSlowTest, IsRefusedWhenTheWorkersHaveTooMuchToDo) {
  bool is_done = false;
  std::promise<void> gate;
  const auto opened = gate.get_future().share();
  std::promise<void> begun;
  Workers workers(1);
  ASSERT_TRUE(workers.post([&] {
    begun.set_value();
    opened.wait();
  }));
  begun.get_future().wait();
  while (workers.post([] {})) {
  }
  const auto answer = ask(workers, [&]() -> Result<net::HttpResponse> {
    is_done = true;
    return net::HttpResponse{};
  });
  gate.set_value();
  workers.stop();
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(member(answer, "code"), "server.busy");
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr(R"(code="server.busy")"));
  EXPECT_FALSE(is_done);
}

}  // namespace
}  // namespace warifu::front
