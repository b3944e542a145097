#include <future>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

// Wherever a connection waits, it can be ended: the last thing that happens to it is that it is counted as closed.
class ServerCancel : public ServerTest {
 protected:
  void SetUp() override {
    handler_.function = [this](const HttpRequest& request, const Respond& respond) {
      if (request.target == "/never")
        held_.push_back(respond);
      else
        respond({.status = 200, .headers = {}, .content_type = {}, .body = std::string(body_size_, 'x')});
      ++seen_;
    };
    start();
  }
  void TearDown() override { server_->stop(); }
  void expect_cut(const TlsClient& client) {
    ASSERT_TRUE(client.ok());
    server_->drain(0ms);
    EXPECT_EQ(observer_.closed, observer_.opened);
    EXPECT_EQ(observer_.opened, 1);
  }

  std::size_t body_size_ = 2;
  std::vector<Respond> held_;
  std::atomic<int> seen_ = 0;
};

TEST_F(ServerCancel, InTheHandshake) {
  RawClient client(port_);
  client.send("\x16\x03\x01");
  ASSERT_TRUE(eventually([this] { return observer_.opened == 1; }));
  server_->drain(0ms);
  EXPECT_EQ(observer_.closed, 1);
  EXPECT_EQ(observer_.failed_handshakes, 1);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerCancel, WhenIdle) {
  TlsClient client(port_);
  ASSERT_EQ(client.get("/").status, 200);
  expect_cut(client);
}

// A record that is not complete has woken the connection, and left it where it was.
TEST_F(ServerCancel, WhenIdleWithHalfARecord) {
  auto client = std::make_unique<TlsClient>(port_);
  ASSERT_EQ(client->get("/").status, 200);
  client->raw().send(std::string_view("\x17\x03\x03\x00\x40half", 9));
  std::this_thread::sleep_for(50ms);
  const auto drained = std::async(std::launch::async, [this] { server_->drain(10s); });
  EXPECT_EQ(client->read().status, 0);
  EXPECT_TRUE(client->said_goodbye());
  client.reset();
  drained.wait();
  EXPECT_EQ(observer_.closed, 1);
}

TEST_F(ServerCancel, InTheHeader) {
  TlsClient client(port_);
  client.send("GET / HTT");
  std::this_thread::sleep_for(50ms);
  expect_cut(client);
}

TEST_F(ServerCancel, InTheBody) {
  TlsClient client(port_);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  std::this_thread::sleep_for(50ms);
  expect_cut(client);
}

TEST_F(ServerCancel, InTheHandler) {
  TlsClient client(port_);
  client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([this] { return seen_ == 1; }));
  expect_cut(client);
  held_.clear();  // an answer that comes too late
}

TEST_F(ServerCancel, InTheResponse) {
  body_size_ = 64 * 1024 * 1024;
  TlsClient client(port_);
  client.send(kGet);
  ASSERT_TRUE(eventually([this] { return seen_ == 1; }));
  std::this_thread::sleep_for(50ms);
  expect_cut(client);
}

TEST_F(ServerCancel, InTheGoodbye) {
  TlsClient client(port_);
  ASSERT_EQ(client.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status, 200);
  std::this_thread::sleep_for(50ms);
  expect_cut(client);
}

// A client may close its half when it has asked, with a goodbye or without: the answer still goes out.
TEST_F(ServerCancel, IsNotWhatHalfAClosedConnectionMeans) {
  for (const bool says_goodbye : {true, false}) {
    TlsClient client(port_);
    client.send(kGet);
    if (says_goodbye) SSL_shutdown(client.ssl());
    ::shutdown(client.raw().fd(), SHUT_WR);
    EXPECT_EQ(client.read().status, 200) << says_goodbye;
    EXPECT_TRUE(client.is_closed());
  }
}

}  // namespace
}  // namespace warifu::net::test
