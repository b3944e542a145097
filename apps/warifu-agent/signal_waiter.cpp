#include "warifu-agent/signal_waiter.h"

#include <cerrno>

namespace warifu::agent_app {

SignalWaiter::SignalWaiter() {
  sigemptyset(&stop_signals_);
  for (const int signal : {SIGTERM, SIGINT})
    sigaddset(&stop_signals_, signal);
  signals_ = stop_signals_;
  sigaddset(&signals_, SIGHUP);
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

bool SignalWaiter::is_told_to_stop() {
  constexpr timespec kNow{0, 0};
  if (::sigtimedwait(&stop_signals_, nullptr, &kNow) > 0) stopped_ = true;
  return stopped_;
}

}  // namespace warifu::agent_app
