#include "process/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

namespace warifu::process {
namespace {

TEST(Run, ReturnsTheExitCode) {
  EXPECT_EQ(run({"/bin/sh", "-c", "exit 7"}).value(), 7);
  EXPECT_EQ(run({"/bin/true"}).value(), 0);
}

TEST(Run, TellsOfASignal) {
  EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"}).value(), 128 + 9);
}

TEST(Run, GivesTheChildNoInput) {
  EXPECT_EQ(run({"/bin/sh", "-c", "read line"}).value(), 1);
}

TEST(Run, RefusesAProgramThatIsNotThere) {
  const auto result = run({"/nonexistent/program"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "process.start");
}

TEST(Run, GivesTheChildNoneOfOurFiles) {
  const int descriptor = ::open("/dev/null", O_RDONLY);  // NOLINT: not O_CLOEXEC, as a library may open it
  ASSERT_GE(descriptor, 3);
  const auto code = run({"/bin/sh", "-c", fmt::format("test ! -e /proc/self/fd/{}", descriptor)});
  ::close(descriptor);
  EXPECT_EQ(code.value(), 0);
}

// Two connected sockets.
class Pair {
 public:
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    close_ours();
    ::close(ends_[1]);
  }
  int ours() const { return ends_[0]; }
  int theirs() const { return ends_[1]; }
  void close_ours() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  std::array<int, 2> ends_{};
};

bool is_there(int process) {
  return ::kill(process, 0) == 0;
}

TEST(Child, TalksOverItsInputAndEndsWithIt) {
  Pair pair;
  int id = 0;
  {
    const auto child = Child::start({"/bin/sh", "-c", "read line && echo \"$line\" >&0; cat"}, pair.theirs()).value();
    id = child.id();
    ASSERT_EQ(::write(pair.ours(), "hello\n", 6), 6);
    std::array<char, 6> heard{};
    ASSERT_EQ(::recv(pair.ours(), heard.data(), heard.size(), MSG_WAITALL), 6);
    EXPECT_EQ(std::string_view(heard.data(), heard.size()), "hello\n");
    EXPECT_TRUE(is_there(id));
    pair.close_ours();
  }
  EXPECT_FALSE(is_there(id)) << "not even as one that nobody waited for";
}

TEST(Child, IsKilledWhenItDoesNotEnd) {
  const Pair pair;
  int id = 0;
  {
    const auto child = Child::start({"/bin/sleep", "1000"}, pair.theirs()).value();
    id = child.id();
  }
  EXPECT_FALSE(is_there(id));
}

TEST(Child, IsToldWhenItCannotBeStarted) {
  const Pair pair;
  EXPECT_EQ(Child::start({"/nonexistent/program"}, pair.theirs()).error().code, "process.start");
}

TEST(SiblingProgram, IsInTheFolderOfThisOne) {
  const auto here = std::filesystem::read_symlink(kThisProgram).parent_path();
  EXPECT_EQ(sibling_program("other").value(), (here / "other").string());
}

TEST(Run, FindsThisVeryProgram) {
  EXPECT_EQ(run({kThisProgram, "--gtest_filter=Run.TellsOfASignal", "--gtest_brief=1"}).value(), 0);
}

}  // namespace
}  // namespace warifu::process
