#include "local_socket/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "local_socket/test_support.h"

namespace warifu::local_socket {
namespace {

using frames::test::call;
using frames::test::Random;
using testing::HasSubstr;

TEST(Client, BringsTheAnswerAndTheErrorOfTheOtherSide) {
  const RunningServer server;
  Client client(frames::test::kService, server.socket());
  EXPECT_EQ(call(client, Random{1024})->bytes.size(), 1024U);
  EXPECT_EQ(call(client, Random{1025}).error().kind, ErrorKind::kInternal) << "an answer outside its limits";
}

TEST(Client, FindsAProgramThatWasStartedAgain) {
  const TestFolder folder;
  Client client(frames::test::kService, folder.path() / "s");
  EXPECT_FALSE(call(client, Random{1}));
  const Descriptor stop(::eventfd(0, EFD_CLOEXEC));
  Server server(frames::test::kService, Listener::bind(folder.path() / "s").value(), everybody, answer_some);
  std::thread thread([&] { EXPECT_TRUE(server.serve_until(stop.get())); });
  EXPECT_TRUE(call(client, Random{1}));
  eventfd_write(stop.get(), 1);
  thread.join();
}

TEST(Client, SaysWhatToDoWhenNobodyListens) {
  const TestFolder folder;
  const auto expect_not_running = [&] {
    Client client(frames::test::kService, folder.path() / "s");
    const Error error = call(client, Random{1}).error();
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
    EXPECT_EQ(error.code, "test.unreachable");
    EXPECT_THAT(error.message, HasSubstr("start-the-test"));
  };
  expect_not_running();
  // A socket that a dead process left.
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(folder.path() / "s").value();
  ASSERT_EQ(::bind(socket.get(), generic(address), sizeof address), 0);
  expect_not_running();
}

TEST(Client, SaysThatItMayNotEvenConnect) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const RunningServer server;  // in a folder of mode 0700
  const int code = in_child([&] {
    if (::setresuid(65'534, 65'534, 65'534) != 0) return 2;
    Client client(frames::test::kService, server.socket());
    const auto answer = call(client, Random{1});
    return !answer && answer.error().kind == ErrorKind::kRefused && answer.error().code == "test.refused" ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

// One connection is accepted, `sent` is sent, and the connection closed if that is wanted.
Error error_from_a_server_that(const Bytes& sent, bool closes, std::chrono::milliseconds deadline) {
  const TestFolder folder;
  const Listener listener = Listener::bind(folder.path() / "s").value();
  Descriptor accepted;
  std::thread thread([&] {
    do
      accepted = Descriptor(::accept(listener.descriptor(), nullptr, nullptr));
    while (!accepted.is_open());
    Bytes request(10);
    static_cast<void>(::recv(accepted.get(), request.data(), request.size(), MSG_WAITALL));
    static_cast<void>(::send(accepted.get(), sent.data(), sent.size(), MSG_NOSIGNAL));
    if (closes) accepted = Descriptor();
  });
  Client client(frames::test::kService, folder.path() / "s", deadline);
  const auto answer = call(client, Random{1});
  thread.join();
  EXPECT_FALSE(answer);
  return answer ? Error{} : answer.error();
}

TEST(Client, SaysWhenTheOtherSideWentAway) {
  const std::string_view whole = "5441010100000004000001aa";
  for (std::size_t digits = 0; digits < whole.size(); digits += 2) {
    const Error error = error_from_a_server_that(from_hex(whole.substr(0, digits)).value(), true, Client::kDeadline);
    EXPECT_EQ(error.code, "test.unreachable") << digits;
    EXPECT_THAT(error.message, HasSubstr("before its answer was complete")) << digits;
  }
}

TEST(Client, DoesNotWaitForEver) {
  for (const char* sent : {"", "54410101", "5441010100000004000001"}) {
    const Error error = error_from_a_server_that(from_hex(sent).value(), false, std::chrono::milliseconds(20));
    EXPECT_EQ(error.code, "test.unreachable") << sent;
    EXPECT_THAT(error.message, HasSubstr("in time")) << sent;
  }
}

TEST(Client, RefusesWhatIsNoFrame) {
  const Error error = error_from_a_server_that(Bytes(100, 'x'), false, Client::kDeadline);
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(error.code, "test.answer");
}

}  // namespace
}  // namespace warifu::local_socket
