#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "http_client/https_client.h"
#include "http_client/test_server.h"

// A client under test, with a server and a TCB that do what the test says.
namespace warifu::http_client {

// Stands for the TCB: hands out a nonce that tells connections apart, and says what the test wants.
class ScriptedCheck final : public agent::ServerCheck {
 public:
  Result<Bytes> begin() override {
    ++begun;
    if (refuses_to_begin) return Error{ErrorKind::kUnavailable, "tcb.unreachable", "no TCB"};
    return Bytes(32, static_cast<std::uint8_t>(begun));
  }
  Status judge(std::vector<Bytes> handshake) override {
    ++judged;
    messages = std::move(handshake);
    return verdict;
  }

  int begun = 0;
  int judged = 0;
  bool refuses_to_begin = false;
  Status verdict;
  std::vector<Bytes> messages;
};

// Is told to stop when it was asked so often.
class StoppingWaiter final : public agent::Waiter {
 public:
  agent::Woken wait(std::chrono::milliseconds) override { return agent::Woken::kToStop; }
  bool is_told_to_stop() override { return ++asked > stop_at; }

  std::atomic<int> asked = 0;
  std::atomic<int> stop_at = 1'000'000;
};

class HttpsClientTest : public testing::Test {
 protected:
  test::Authority root_ = test::make_root();
  test::Authority leaf_ = test::make_leaf(root_, test::localhost());
  ScriptedCheck check_;
  StoppingWaiter waiter_;
  std::atomic<bool> gone_ = false;
  const agent::HttpRequest request_{.method = "PUT", .path = "/a?b=c", .authorization = "Secret", .body = "{\"k\":1}"};

  HttpsClient client_of(const test::TestServer& server, const std::string& host = "localhost") {
    return {{host, server.port()}, TrustedRoot::from_pem(root_.certificate.to_pem()).value(), check_, waiter_};
  }
  // The error's code, and that the server got nothing.
  Error refusal_by(test::TestServer& server, const std::string& host = "localhost") {
    auto client = client_of(server, host);
    const auto reply = client.send(request_);
    client.close();
    while (server.ended() == 0)
      std::this_thread::yield();
    EXPECT_EQ(server.received(), "");
    EXPECT_FALSE(reply);
    return reply ? Error{ErrorKind::kInternal, "test", "no error"} : reply.error();
  }
};

}  // namespace warifu::http_client
