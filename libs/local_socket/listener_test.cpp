#include "local_socket/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "local_socket/test_support.h"

namespace warifu::local_socket {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(Listener, RefusesAPathThatNoSocketCanHave) {
  const TestFolder folder;
  const std::string start = folder.path().string() + "/";
  const auto too_long = Listener::bind(start + std::string(108 - start.size(), 's'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, "socket.path");
  EXPECT_THAT(too_long.error().message, HasSubstr("1 to 107 bytes"));
  EXPECT_TRUE(Listener::bind(start + std::string(107 - start.size(), 's')));
  EXPECT_EQ(Listener::bind("").error().code, "socket.path");
}

TEST(Listener, IsOpenToAllInAFolderThatIsNot) {
  const TestFolder folder;
  const auto before = ::umask(0077);
  const auto listener = Listener::bind(folder.path() / "warifu" / "tcb.sock");
  ::umask(before);
  ASSERT_TRUE(listener);
  EXPECT_EQ(fs::status(folder.path() / "warifu").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(folder.path() / "warifu" / "tcb.sock").permissions(), fs::perms(0666));
}

TEST(Listener, ReplacesASocketThatADeadProcessLeft) {
  const TestFolder folder;
  EXPECT_EQ(in_child([&] { return Listener::bind(folder.path() / "s") ? 0 : 1; }), 0);  // _exit() cleans nothing up
  const Descriptor left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(folder.path() / "s").value();
  static_cast<void>(::bind(left.get(), generic(address), sizeof address));
  ASSERT_TRUE(fs::is_socket(folder.path() / "s"));
  EXPECT_TRUE(Listener::bind(folder.path() / "s"));
}

TEST(Listener, LeavesTheSocketOfALivingProcess) {
  const TestFolder folder;
  const auto first = Listener::bind(folder.path() / "s");
  ASSERT_TRUE(first);
  EXPECT_EQ(Listener::bind(folder.path() / "s").error().code, "socket.in_use");
  EXPECT_TRUE(fs::is_socket(folder.path() / "s"));
  EXPECT_EQ(in_child([&] { return Listener::bind(folder.path() / "s") ? 1 : 0; }), 0);
}

TEST(Listener, LeavesWhatIsNoSocket) {
  const TestFolder folder;
  std::ofstream(folder.path() / "s") << "precious";
  EXPECT_EQ(Listener::bind(folder.path() / "s").error().code, "socket.path.taken");
  EXPECT_TRUE(fs::is_regular_file(folder.path() / "s"));
  fs::create_symlink(folder.path() / "elsewhere", folder.path() / "link");
  EXPECT_EQ(Listener::bind(folder.path() / "link").error().code, "socket.path.taken");
}

TEST(Listener, RefusesAFolderInWhichOthersCouldReplaceIt) {
  const TestFolder folder;
  for (const int mode : {0777, 0775}) {
    fs::permissions(folder.path(), fs::perms(mode));
    EXPECT_EQ(Listener::bind(folder.path() / "s").error().code, "socket.folder") << mode;
  }
  fs::permissions(folder.path(), fs::perms(01777));
  EXPECT_TRUE(Listener::bind(folder.path() / "s")) << "they cannot in a sticky one";
}

// What inherit() says in a process that systemd started with `descriptor` as its third.
int inherit_with(int descriptor, const char* count, pid_t process_offset = 0) {
  return in_child([&] {
    ::dup2(descriptor, 3);
    ::setenv("LISTEN_PID", fmt::format("{}", ::getpid() + process_offset).c_str(), 1);
    ::setenv("LISTEN_FDS", count, 1);
    const auto listener = Listener::inherit();
    if (std::getenv("LISTEN_FDS") != nullptr) return 9;  // a child would take it for its own
    if (!listener) return 2;
    if (!*listener) return 1;
    const bool is_set_up = ::fcntl(3, F_GETFD) == FD_CLOEXEC && (::fcntl(3, F_GETFL) & O_NONBLOCK) != 0;
    return (*listener)->descriptor() == 3 && is_set_up ? 0 : 8;
  });
}

TEST(Listener, TakesTheSocketThatSystemdMade) {
  const TestFolder folder;
  const auto made = Listener::bind(folder.path() / "s");
  ASSERT_TRUE(made);
  EXPECT_EQ(inherit_with(made->descriptor(), "1"), 0);
  EXPECT_TRUE(fs::is_socket(folder.path() / "s")) << "it belongs to systemd";
}

TEST(Listener, TakesNothingThatIsForAnotherProcess) {
  const TestFolder folder;
  const auto made = Listener::bind(folder.path() / "s");
  ASSERT_TRUE(made);
  EXPECT_EQ(inherit_with(made->descriptor(), "1", 1), 1);
  EXPECT_EQ(inherit_with(made->descriptor(), "one"), 1);
  EXPECT_FALSE(Listener::inherit().value());
}

TEST(Listener, RefusesToInheritAnythingElse) {
  const TestFolder folder;
  const auto made = Listener::bind(folder.path() / "s");
  ASSERT_TRUE(made);
  EXPECT_EQ(inherit_with(made->descriptor(), "2"), 2);
  const Descriptor not_listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(inherit_with(not_listening.get(), "1"), 2);
  const Descriptor datagrams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(inherit_with(datagrams.get(), "1"), 2);
  const Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(inherit_with(file.get(), "1"), 2);
}

}  // namespace
}  // namespace warifu::local_socket
