#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "base/temp_dir.h"
#include "frames/test_protocol.h"
#include "local_socket/address.h"
#include "local_socket/server.h"

namespace warifu::local_socket {

// A folder for sockets, whose paths must be short.
struct TestFolder : TempDir {
  TestFolder() : TempDir("/tmp") {}
};

// Answers Random with so many bytes, and WhoAmI with the caller's uid.
inline SecretBytes answer_some(const Peer& peer, ByteView request_frame) {
  using frames::test::Random;
  using frames::test::WhoAmI;
  return frames::test::answer(request_frame, [&]<class R>(const R& request) -> Result<typename R::Answer> {
    if constexpr (std::is_same_v<R, Random>)
      return Random::Answer{SecretBytes(request.size)};
    else
      return WhoAmI::Answer{std::to_string(peer.user)};
  });
}

inline std::optional<SecretBytes> everybody(const Peer&) {
  return std::nullopt;
}

// A server in a thread of its own, stopped at the end of the scope.
class RunningServer {
 public:
  explicit RunningServer(Limits limits = {}, Handler handler = answer_some, Doorkeeper doorkeeper = everybody)
      : stop_(::eventfd(0, EFD_CLOEXEC)),
        server_(frames::test::kService, Listener::bind(socket()).value(), std::move(doorkeeper), std::move(handler),
                limits),
        thread_([this] { EXPECT_TRUE(server_.serve_until(stop_.get())); }) {}
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() {
    eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  std::filesystem::path socket() const { return folder_.path() / "test.sock"; }

 private:
  TestFolder folder_;
  Descriptor stop_;
  Server server_;
  std::thread thread_;
};

// A client that may do everything wrong.
class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = address_of(path).value();
    EXPECT_EQ(::connect(socket_.get(), generic(address), sizeof address), 0);
  }
  int descriptor() const { return socket_.get(); }
  void send(ByteView bytes) const {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // Waits for so many bytes; fewer if the server closes first.
  Bytes receive(std::size_t size) const {
    Bytes bytes(size);
    const ssize_t got = ::recv(socket_.get(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }
  Bytes receive_frame() const {
    Bytes frame = receive(frames::kHeaderSize);
    const auto size = frames::frame_size(frames::test::kProtocol, frame);
    if (!size) return frame;
    const Bytes body = receive(*size - frame.size());
    frame.insert(frame.end(), body.begin(), body.end());
    return frame;
  }
  // Waits until the server has closed the connection or has sent something.
  bool is_closed() const { return receive(1).empty(); }

 private:
  Descriptor socket_;
};

// The exit code of `body` in a process of its own.
inline int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace warifu::local_socket
