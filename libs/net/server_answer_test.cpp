#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

HttpResponse ok() {
  return {.status = 200, .headers = {}, .content_type = "text/plain", .body = "later"};
}

class ServerAnswer : public ServerTest {
 protected:
  // Keeps every Respond until the test takes it.
  void hold() {
    handler_.function = [this](const HttpRequest&, Respond respond) {
      const std::lock_guard lock(mutex_);
      held_.push_back(std::move(respond));
    };
  }
  std::vector<Respond> take(std::size_t count) {
    std::vector<Respond> taken;
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex_);
      return held_.size() >= count;
    }));
    const std::lock_guard lock(mutex_);
    std::swap(taken, held_);
    return taken;
  }

  std::mutex mutex_;
  std::vector<Respond> held_;
};

TEST_F(ServerAnswer, MayComeFromAnotherThread) {
  hold();
  start();
  TlsClient client(port_);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  auto held = take(1);
  std::thread([&held] { held.front()(ok()); }).join();
  EXPECT_EQ(client.read().body, "later");
}

TEST_F(ServerAnswer, IsA500WhenTheHandlerDropsIt) {
  handler_.function = [](const HttpRequest&, const Respond&) {};
  start();
  TlsClient client(port_);
  EXPECT_EQ(client.get("/").status, 500);
  EXPECT_EQ(client.get("/").status, 500);
}

TEST_F(ServerAnswer, IsA500WhenItIsDroppedLater) {
  hold();
  start();
  TlsClient client(port_);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  take(1).clear();
  EXPECT_EQ(client.read().status, 500);
}

TEST_F(ServerAnswer, IsA500WhenTheHandlerThrows) {
  handler_.function = [](const HttpRequest&, const Respond&) { throw std::runtime_error("defect"); };
  start();
  TlsClient client(port_);
  EXPECT_EQ(client.get("/").status, 500);
  EXPECT_EQ(observer_.exceptions, 1);
}

TEST_F(ServerAnswer, CountsOnlyTheFirstTime) {
  handler_.function = [](const HttpRequest&, const Respond& respond) {
    respond(ok());
    respond({.status = 404, .headers = {}, .content_type = {}, .body = {}});
  };
  start();
  TlsClient client(port_);
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.get("/").status, 200);
}

TEST_F(ServerAnswer, MayComeWhenTheClientHasGone) {
  hold();
  start();
  {
    TlsClient client(port_);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(eventually([this] {
      const std::lock_guard lock(mutex_);
      return !held_.empty();
    }));
  }
  take(1).front()(ok());
  EXPECT_TRUE(eventually([this] { return observer_.closed == 1; }));
}

TEST_F(ServerAnswer, MayComeWhenTheServerHasGone) {
  hold();
  start();
  TlsClient client(port_);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  auto held = take(1);
  server_.reset();
  EXPECT_EQ(observer_.closed, 1);
  held.front()(ok());
  EXPECT_EQ(client.read().status, 0);
}

TEST_F(ServerAnswer, Is503BeyondTheRequestsInFlight) {
  listener_.limits.requests_in_flight = 2;
  hold();
  start();
  TlsClient first(port_), second(port_), third(port_);
  first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  second.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  auto held = take(2);
  EXPECT_EQ(third.get("/").status, 503);
  EXPECT_EQ(observer_.count(Refusal::kTooManyRequests), 1);
  for (Respond& respond : held)
    respond(ok());
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 200);
  third.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  take(1).front()(ok());
  EXPECT_EQ(third.read().status, 200);
}

TEST_F(ServerAnswer, Is503OnlyOnTheListenerThatHasTooManyRequestsInFlight) {
  listener_.limits.requests_in_flight = 1;
  const std::uint16_t operators =
      listen({.name = "operators", .address = "127.0.0.1", .limits = {.requests_in_flight = 1}});
  hold();
  start();
  TlsClient first(port_), refused(port_), other(operators);
  first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto held = take(1);
  EXPECT_EQ(refused.get("/").status, 503);
  other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const Respond& respond : take(1))
    respond(ok());
  EXPECT_EQ(other.read().status, 200);
}

// A writer thread answers in batches, as the store does after a commit.
TEST_F(ServerAnswer, ReachesEachOfManyConcurrentRequests) {
  constexpr int kClients = 10;
  constexpr int kRequests = 20;
  hold();
  start();
  std::atomic<int> answered = 0;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) {
      std::vector<Respond> batch;
      {
        const std::lock_guard lock(mutex_);
        std::swap(batch, held_);
      }
      for (Respond& respond : batch)
        respond(ok());
      std::this_thread::sleep_for(1ms);
    }
  });
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i)
    clients.emplace_back([&] {
      TlsClient client(port_);
      for (int j = 0; j < kRequests; ++j)
        answered += client.get("/").body == "later" ? 1 : 0;
    });
  for (std::thread& client : clients)
    client.join();
  done = true;
  writer.join();
  EXPECT_EQ(answered, kClients * kRequests);
}

}  // namespace
}  // namespace warifu::net::test
