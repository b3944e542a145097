#include <gmock/gmock.h>
#include <sys/resource.h>

#include <filesystem>
#include <future>
#include <list>
#include <thread>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

using testing::HasSubstr;

using ServerLimitsTest = TransportTest;

std::ptrdiff_t thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST_P(ServerLimitsTest, DropsAClientThatIsSilentInTheHandshake) {
  shorten(&ConnectionLimits::handshake_timeout);
  start();
  RawClient silent(port_);
  EXPECT_TRUE(silent.is_closed());
  EXPECT_EQ(observer_.count(Refusal::kHandshakeTimeout), 1);
}

TEST_P(ServerLimitsTest, DropsAHeaderThatComesByteByByte) {
  shorten(&ConnectionLimits::header_timeout);
  start();
  const auto slow = connect();
  for (int i = 0; i < 1000 && observer_.count(Refusal::kHeaderTimeout) == 0; ++i) {
    slow->send("G");
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(slow->is_closed());
  EXPECT_EQ(observer_.count(Refusal::kHeaderTimeout), 1);
}

TEST_P(ServerLimitsTest, DropsABodyThatStops) {
  shorten(&ConnectionLimits::body_timeout);
  start();
  const auto slow = connect();
  slow->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_TRUE(slow->is_closed());
  EXPECT_EQ(observer_.count(Refusal::kBodyTimeout), 1);
}

TEST_P(ServerLimitsTest, DropsAClientThatDoesNotReadItsResponse) {
  shorten(&ConnectionLimits::write_timeout);
  handler_.function = [](const HttpRequest&, const Respond& respond) {
    respond({.status = 200, .headers = {}, .content_type = {}, .body = std::string(64 * 1024 * 1024, 'x')});
  };
  start();
  const auto deaf = connect();
  deaf->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([this] { return observer_.closed == 1; }));
  EXPECT_EQ(observer_.count(Refusal::kWriteTimeout), 1);
}

TEST_P(ServerLimitsTest, ClosesAConnectionThatIsIdle) {
  shorten(&ConnectionLimits::idle_timeout);
  start();
  const auto idle = connect();
  EXPECT_EQ(idle->get("/").status, 200);
  EXPECT_TRUE(idle->is_closed());
  EXPECT_TRUE(idle->said_goodbye());
}

TEST_P(ServerLimitsTest, AHandlerMayTakeLongerThanAnyClient) {
  for (const auto limit : {&ConnectionLimits::header_timeout, &ConnectionLimits::body_timeout,
                           &ConnectionLimits::write_timeout, &ConnectionLimits::idle_timeout})
    shorten(limit);
  handler_.function = [this](const HttpRequest&, const Respond& respond) {
    server_->post_after(1s,
                        [respond] { respond({.status = 200, .headers = {}, .content_type = {}, .body = "at last"}); });
  };
  start();
  const auto patient = connect();
  EXPECT_EQ(patient->get("/").body, "at last");
}

TEST_P(ServerLimitsTest, ServesOthersBesideAThousandSilentConnections) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  ::setrlimit(RLIMIT_NOFILE, &files);
  start();
  const auto threads = thread_count();
  std::list<RawClient> silent;
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(silent.emplace_back(port_).connected()) << i;
  const auto client = connect();
  EXPECT_EQ(client->get("/").status, 200);
  EXPECT_TRUE(eventually([this] { return observer_.opened == 1001; }));
  EXPECT_EQ(thread_count(), threads);
}

TEST_P(ServerLimitsTest, ClosesConnectionsBeyondTheLimitAtOnce) {
  listener_.limits.connections = 2;
  start();
  const auto first = connect();
  {
    const auto second = connect();
    ASSERT_TRUE(second->ok());
    RawClient third(port_);
    EXPECT_TRUE(third.is_closed());
    EXPECT_EQ(observer_.count(Refusal::kTooManyConnections), 1);
    EXPECT_EQ(first->get("/").status, 200);
  }
  EXPECT_TRUE(eventually([this] { return observer_.closed == 1; }));
  EXPECT_TRUE(connect()->ok());
}

TEST_P(ServerLimitsTest, AListenerFullOfSilentConnectionsLeavesTheOthersOpen) {
  constexpr int kConnections = 20;
  listener_.limits.connections = kConnections;
  const std::uint16_t operators =
      listen({.name = "operators", .address = "127.0.0.1", .limits = {.connections = kConnections}});
  start();
  std::list<RawClient> silent;
  for (int i = 0; i < kConnections; ++i)
    ASSERT_TRUE(silent.emplace_back(port_).connected()) << i;
  ASSERT_TRUE(eventually([this] { return observer_.opened == kConnections; }));
  EXPECT_TRUE(RawClient(port_).is_closed());
  const RawClient accepted(operators);
  ASSERT_TRUE(eventually([this] { return observer_.opened == kConnections + 1; }));
  const auto client = connect(operators);
  EXPECT_EQ(client->get("/").status, 200);
  EXPECT_EQ(observer_.count(Refusal::kTooManyConnections), 1);
}

TEST_P(ServerLimitsTest, DrainEndsWhatIsInFlightAndTakesNothingNew) {
  shorten(&ConnectionLimits::close_timeout);
  std::promise<Respond> held;
  handler_.function = [&held](const HttpRequest&, Respond respond) { held.set_value(std::move(respond)); };
  start();
  RawClient silent(port_);
  const auto idle = connect();
  ASSERT_TRUE(idle->ok());
  const auto busy = connect();
  busy->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const Respond respond = held.get_future().get();

  std::thread drain([this] { server_->drain(20s); });
  EXPECT_TRUE(idle->is_closed());
  EXPECT_TRUE(silent.is_closed());
  EXPECT_FALSE(RawClient(port_).connected());
  respond({.status = 200, .headers = {}, .content_type = {}, .body = "finished"});
  const Reply reply = busy->read();
  EXPECT_EQ(reply.body, "finished");
  EXPECT_THAT(reply.header, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(busy->is_closed());
  drain.join();
  EXPECT_EQ(observer_.closed, 3);
}

TEST_P(ServerLimitsTest, DrainCutsOffWhatIsLateAtTheDeadline) {
  std::promise<Respond> held;
  handler_.function = [&held](const HttpRequest&, Respond respond) { held.set_value(std::move(respond)); };
  start();
  const auto busy = connect();
  busy->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const Respond respond = held.get_future().get();
  server_->drain(100ms);
  EXPECT_EQ(observer_.closed, observer_.opened);
  EXPECT_EQ(busy->read().status, 0);
}

// A connection may be told to close when it has just been cut.
TEST_P(ServerLimitsTest, SurvivesTwoDrainsAtOnce) {
  start();
  std::list<RawClient> silent;
  for (int i = 0; i < 100; ++i)
    silent.emplace_back(port_);
  ASSERT_TRUE(eventually([this] { return observer_.opened == 100; }));
  std::thread other([this] { server_->drain(0ms); });
  server_->drain(0ms);
  other.join();
  EXPECT_EQ(observer_.closed, 100);
}

TEST_P(ServerLimitsTest, ListenersNameWhatIsWrongWithTheirAddress) {
  start();
  const std::pair<ListenerOptions, std::string_view> rows[] = {
      {{.name = "a", .address = "localhost"}, "net.listen.address"},
      {{.name = "a", .address = "127.0.0.1", .port = port_}, "net.listen.bind"},
      {{.name = "a", .address = "192.0.2.1"}, "net.listen.bind"},
  };
  for (const auto& [listener, code] : rows) {
    const auto bound = Server(options_).listen(listener, credentials_of(identity_), handler_);
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().code, code) << bound.error().message;
  }
}

TEST(Endpoint, PutsBracketsAroundIpv6) {
  EXPECT_EQ((Endpoint{"127.0.0.1", 8443}.text()), "127.0.0.1:8443");
  EXPECT_EQ((Endpoint{"::1", 8443}.text()), "[::1]:8443");
}

INSTANTIATE_TEST_SUITE_P(Transports, ServerLimitsTest, kTransports, name_of);

}  // namespace
}  // namespace warifu::net::test
