#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <thread>

#include "front/outbox/courier.h"
#include "webhooks/wake.h"

namespace warifu::front::outbox {

// The threads that deliver: one looks for work when it is woken and each kLookInterval, and each webhook that has some
// gets one of its own for so long, because a receiver that does not answer must not keep the others waiting.
class Sender {
 public:
  static constexpr std::chrono::seconds kLookInterval{1};
  static constexpr std::chrono::seconds kMeasureInterval{5};
  // Of all scopes together.
  static constexpr std::size_t kAtOnceMax = 32;

  // Both outlive it.
  Sender(Courier& courier, webhooks::Wake& wake) : courier_(courier), wake_(wake) {}
  ~Sender() { stop(); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void start();
  // Waits for attempts that are under way: tell the poster to stop first.
  void stop();

 private:
  struct Run {
    explicit Run(webhooks::WebhookKey whose) : key(std::move(whose)) {}
    webhooks::WebhookKey key;
    std::atomic<bool> is_over = false;
    std::thread thread;
  };
  void run();
  void look();
  void measure();
  void begin(const webhooks::WebhookKey& key);
  void deliver(Run& run);
  void end_runs(bool all);

  Courier& courier_;
  webhooks::Wake& wake_;
  std::atomic<bool> is_stopped_ = false;
  // The looking thread's.
  std::list<Run> runs_;
  std::chrono::steady_clock::time_point measured_at_ = {};
  std::thread thread_;
};

}  // namespace warifu::front::outbox
