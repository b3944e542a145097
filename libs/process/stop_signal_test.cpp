#include "process/stop_signal.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "process/child_process.h"

namespace warifu::process {
namespace {

TEST(StopSignal, IsSomethingToWaitFor) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const auto raise_and_look = [signal] {
      const StopSignal stop;
      pollfd polled{stop.descriptor(), POLLIN, 0};
      if (::poll(&polled, 1, 0) != 0) return 1;  // not yet
      ::kill(::getpid(), signal);
      return ::poll(&polled, 1, 0) == 1 ? 0 : 2;
    };
    EXPECT_EQ(in_child(raise_and_look), 0);
    const auto raise_without = [signal] { return ::kill(::getpid(), signal); };
    EXPECT_EQ(in_child(raise_without), 128 + signal);
  }
}

TEST(StopSignal, CanBeGivenByTheProcessItself) {
  const auto give_and_look = [] {
    const StopSignal stop;
    StopSignal::give();
    pollfd polled{stop.descriptor(), POLLIN, 0};
    return ::poll(&polled, 1, 0) == 1 ? 0 : 1;
  };
  EXPECT_EQ(in_child(give_and_look), 0);
}

}  // namespace
}  // namespace warifu::process
