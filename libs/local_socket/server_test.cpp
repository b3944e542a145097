#include "local_socket/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "local_socket/client.h"
#include "local_socket/test_support.h"

namespace warifu::local_socket {
namespace {

using frames::test::call;
using frames::test::Random;
using frames::test::WhoAmI;

constexpr std::uint32_t kNobody = 65'534;

Bytes random_request() {
  return frames::test::encode_request(Random{16});
}

bool answers(const RawClient& client) {
  client.send(random_request());
  return frames::test::decode_answer<Random>(client.receive_frame()).has_value();
}

std::string_view code_of_refusal(const RawClient& client) {
  const auto answer = frames::test::decode_answer<Random>(client.receive_frame());
  return answer ? "no refusal" : answer.error().code;
}

TEST(Server, AnswersOneRequestAfterAnotherOnOneConnection) {
  const RunningServer server;
  const RawClient client(server.socket());
  EXPECT_TRUE(answers(client));
  EXPECT_TRUE(answers(client));
}

TEST(Server, KnowsWhoIsCalling) {
  const RunningServer server;
  Client client(frames::test::kService, server.socket());
  EXPECT_EQ(call(client, WhoAmI{})->user, std::to_string(::geteuid()));
}

TEST(Server, KnowsAStrangerByTheKernelsWord) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const RunningServer server;
  std::filesystem::permissions(server.socket().parent_path(), std::filesystem::perms(0755));
  const int code = in_child([&] {
    if (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0) return 2;
    Client client(frames::test::kService, server.socket());
    const auto identity = call(client, WhoAmI{});
    return identity && identity->user == std::to_string(kNobody) ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST(Server, ServesOthersWhileOneIsSlow) {
  const RunningServer server;
  const RawClient slow(server.socket());
  const Bytes request = random_request();
  slow.send(ByteView(request).first(5));
  EXPECT_TRUE(answers(RawClient(server.socket())));
  slow.send(ByteView(request).subspan(5));
  EXPECT_TRUE(frames::test::decode_answer<Random>(slow.receive_frame()));
}

TEST(Server, DropsAHalfSentRequestButKeepsAnIdleConnection) {
  const RunningServer server({.patience = std::chrono::milliseconds(20)});
  const RawClient idle(server.socket());
  const RawClient was_idle(server.socket());
  EXPECT_TRUE(answers(was_idle));
  for (const std::size_t sent : {1U, 7U, 8U, 9U}) {
    const RawClient half(server.socket());
    half.send(ByteView(random_request()).first(sent));
    EXPECT_TRUE(half.is_closed()) << sent;
  }
  EXPECT_TRUE(answers(idle));
  EXPECT_TRUE(answers(was_idle));
}

TEST(Server, DropsAClientThatDoesNotTakeItsAnswers) {
  const auto large = [](const Peer&, ByteView) { return SecretBytes(frames::kFrameMax); };
  const RunningServer server({.patience = std::chrono::milliseconds(20)}, large);
  const RawClient client(server.socket());
  Bytes requests;
  for (int i = 0; i < 64; ++i) {
    const Bytes request = random_request();
    requests.insert(requests.end(), request.begin(), request.end());
  }
  client.send(requests);
  pollfd polled{client.descriptor(), 0, 0};
  EXPECT_EQ(::poll(&polled, 1, 60'000), 1);
  EXPECT_NE(polled.revents & POLLHUP, 0);
}

TEST(Server, TellsWhatIsWrongWithGarbageAndCloses) {
  const RunningServer server;
  const RawClient client(server.socket());
  client.send(Bytes(1000, 0xA5));
  EXPECT_EQ(code_of_refusal(client), "test.limit");
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(answers(RawClient(server.socket())));
}

TEST(Server, RefusesAFrameThatIsTooLargeByItsHeader) {
  const RunningServer server;
  const RawClient client(server.socket());
  client.send(from_hex("5453010100010001").value());
  EXPECT_EQ(code_of_refusal(client), "test.limit");
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, TakesAFrameOfTheLargestSize) {
  const RunningServer server({}, [](const Peer&, ByteView frame) {
    return frames::encode_answer<frames::test::Request, Random>(
        frames::test::kProtocol, {SecretBytes(frame.size() == frames::kFrameMax ? 1 : 2)});
  });
  const RawClient client(server.socket());
  Bytes frame = from_hex("5453010100010000").value();
  frame.resize(frames::kFrameMax);
  client.send(frame);
  EXPECT_EQ(frames::test::decode_answer<Random>(client.receive_frame())->bytes.size(), 1U);
}

TEST(Server, RefusesTheSeventeenthConnectionAndTakesTheNextWhenOneIsFree) {
  const RunningServer server({.connections = 16, .connections_of_a_user = 100});
  std::list<RawClient> clients;
  for (int i = 0; i < 16; ++i)
    EXPECT_TRUE(answers(clients.emplace_back(server.socket()))) << i;
  EXPECT_EQ(code_of_refusal(RawClient(server.socket())), "test.busy");
  clients.pop_front();
  EXPECT_TRUE(answers(RawClient(server.socket())));
}

TEST(Server, LeavesRoomForOtherUsers) {
  const RunningServer server({.connections = 16, .connections_of_a_user = 2});
  const RawClient first(server.socket());
  const RawClient second(server.socket());
  EXPECT_EQ(code_of_refusal(RawClient(server.socket())), "test.busy");
  EXPECT_TRUE(answers(first));
  EXPECT_TRUE(answers(second));
  if (::geteuid() != 0) GTEST_SKIP() << "that another user finds room needs root, to become one";
  std::filesystem::permissions(server.socket().parent_path(), std::filesystem::perms(0755));
  const int code = in_child([&] {
    if (::setresuid(kNobody, kNobody, kNobody) != 0) return 2;
    Client client(frames::test::kService, server.socket());
    return call(client, Random{1}) ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST(Server, TellsAStrangerAndKeepsNoConnectionForHim) {
  const auto nobody = [](const Peer& peer) -> std::optional<SecretBytes> {
    EXPECT_EQ(peer.user, ::geteuid());
    EXPECT_EQ(peer.process, ::getpid());
    return frames::encode_error(frames::test::kProtocol, {}, {ErrorKind::kRefused, "test.stranger", "not you"});
  };
  const RunningServer server({.connections = 1}, answer_some, nobody);
  std::list<RawClient> strangers;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(code_of_refusal(strangers.emplace_back(server.socket())), "test.stranger");
    EXPECT_TRUE(strangers.back().is_closed());
  }
  // Also one who writes before reading gets to know why.
  Client client(frames::test::kService, server.socket());
  EXPECT_EQ(call(client, Random{16}).error().code, "test.stranger");
}

TEST(Server, ClosesWhenTheHandlerHasNothingToSay) {
  const RunningServer server({}, [](const Peer&, ByteView) { return SecretBytes(); });
  const RawClient client(server.socket());
  client.send(random_request());
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, LeavesNoSocketBehind) {
  TestFolder folder;
  {
    Server server(frames::test::kService, Listener::bind(folder.path() / "s").value(), everybody, answer_some);
    const Descriptor stop(::eventfd(1, EFD_CLOEXEC));
    EXPECT_TRUE(std::filesystem::is_socket(folder.path() / "s"));
    EXPECT_TRUE(server.serve_until(stop.get()));
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "s"));
}

}  // namespace
}  // namespace warifu::local_socket
