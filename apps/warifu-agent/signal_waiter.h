#pragma once

#include <csignal>

#include "agent/outside.h"

namespace warifu::agent_app {

// Sleeps until the time is over, or SIGTERM, SIGINT (stop) or SIGHUP (check now) comes. From its construction on these
// signals do nothing else; threads that are started later leave them to this one.
class SignalWaiter final : public agent::Waiter {
 public:
  SignalWaiter();
  agent::Woken wait(std::chrono::milliseconds time) override;
  bool is_told_to_stop() override;

 private:
  sigset_t signals_;
  sigset_t stop_signals_;
  bool stopped_ = false;
};

}  // namespace warifu::agent_app
