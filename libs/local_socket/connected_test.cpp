#include "local_socket/connected.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "local_socket/test_support.h"

namespace warifu::local_socket {
namespace {

using frames::test::call;
using frames::test::WhoAmI;
using std::chrono::milliseconds;
using testing::HasSubstr;

// A program of its own at the other end, as a thread.
class ConnectedPair : public testing::Test {
 protected:
  ConnectedPair() {
    auto pair = connected_pair().value();
    client_.emplace(frames::test::kService, std::move(pair.first), milliseconds(60'000));
    server_end_ = std::move(pair.second);
  }
  ~ConnectedPair() override {
    client_.reset();
    if (thread_.joinable()) thread_.join();
  }
  void serve(const Handler& handler = answer_some) {
    thread_ = std::thread([this, handler] {
      ended_ = serve_connected(frames::test::kService, std::move(server_end_), handler, stop_.get());
    });
  }

  const Descriptor stop_{::eventfd(0, EFD_CLOEXEC)};
  std::optional<ConnectedClient> client_;
  Descriptor server_end_;
  std::thread thread_;
  Status ended_ = Error{ErrorKind::kInternal, "test.never", "it did not end"};
};

TEST_F(ConnectedPair, AnswersOneRequestAfterAnotherAndKnowsWhoAsks) {
  serve();
  EXPECT_EQ(call(*client_, frames::test::Random{700})->bytes.size(), 700U);
  EXPECT_EQ(call(*client_, WhoAmI{})->user, std::to_string(::geteuid()));
}

TEST_F(ConnectedPair, EndsWithItsClient) {
  serve();
  EXPECT_TRUE(call(*client_, WhoAmI{}));
  client_.reset();
  thread_.join();
  EXPECT_TRUE(ended_);
}

TEST_F(ConnectedPair, EndsWhenItIsToldTo) {
  serve();
  eventfd_write(stop_.get(), 1);
  thread_.join();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(call(*client_, WhoAmI{}).error().code, "test.unreachable");
}

TEST_F(ConnectedPair, IsOutOfStepAfterAnExchangeThatFailed) {
  serve([](const Peer&, ByteView) { return SecretBytes(); });
  EXPECT_EQ(call(*client_, WhoAmI{}).error().code, "test.unreachable");
  EXPECT_THAT(call(*client_, WhoAmI{}).error().message, HasSubstr("went away"));
}

TEST_F(ConnectedPair, IsOnlyOnASocketThatTellsWhoIsThere) {
  const Descriptor internet(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(peer_of(internet.get()));
  EXPECT_FALSE(peer_of(stop_.get()));
  const auto served = serve_connected(frames::test::kService, Descriptor(::dup(stop_.get())), answer_some, stop_.get());
  EXPECT_EQ(served.error().code, "socket.inherited");
}

}  // namespace
}  // namespace warifu::local_socket
