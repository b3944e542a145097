#include "warifu-agent/signal_waiter.h"

#include <cerrno>

namespace warifu::agent_app {

SignalWaiter::SignalWaiter() {
  sigemptyset(&signals_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals_, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

agent::Woken SignalWaiter::wait(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!stopped_) {
    const auto left = std::max(end - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration(0));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    const int signal = ::sigtimedwait(&signals_, nullptr, &timeout);
    if (signal == SIGHUP) return agent::Woken::kToCheckNow;
    if (signal > 0) stopped_ = true;
    if (signal < 0 && errno == EAGAIN) return agent::Woken::kByTime;
  }
  return agent::Woken::kToStop;
}

}  // namespace warifu::agent_app
