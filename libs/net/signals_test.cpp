#include "net/signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace warifu::net {
namespace {

TEST(Signals, ArriveAsValuesInTheWaitingThread) {
  Signals signals({SIGHUP, SIGTERM});
  std::raise(SIGHUP);
  EXPECT_EQ(signals.wait(), SIGHUP);
  std::thread other([] { std::raise(SIGTERM); });
  EXPECT_EQ(signals.wait(), SIGTERM);
  other.join();
}

}  // namespace
}  // namespace warifu::net
