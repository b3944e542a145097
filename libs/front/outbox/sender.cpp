#include "front/outbox/sender.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>

namespace warifu::front::outbox {

void Sender::start() {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    spdlog::error("no events are sent until the server starts again: no thread for them: {}", error.what());
  }
}

void Sender::stop() {
  is_stopped_ = true;
  wake_.wake();
  if (thread_.joinable()) thread_.join();
}

void Sender::run() {
  while (!is_stopped_) {
    end_runs(false);
    look();
    measure();
    wake_.wait_for(kLookInterval);
  }
  end_runs(true);
}

void Sender::look() {
  const auto due = courier_.list_due();
  if (!due) return spdlog::error("looking for events to deliver: {}", to_string(due.error()));
  for (const auto& key : *due) {
    const bool is_under_way = std::ranges::any_of(
        runs_, [&](const Run& run) { return run.key.scope == key.scope && run.key.name == key.name; });
    if (!is_under_way && runs_.size() < kAtOnceMax) begin(key);
  }
}

void Sender::measure() {
  const auto now = std::chrono::steady_clock::now();
  if (now - measured_at_ < kMeasureInterval) return;
  measured_at_ = now;
  if (const auto measured = courier_.measure(); !measured)
    spdlog::error("counting events that wait: {}", to_string(measured.error()));
}

void Sender::begin(const webhooks::WebhookKey& key) {
  Run& run = runs_.emplace_back(key);
  try {
    run.thread = std::thread([this, &run] { deliver(run); });
  } catch (const std::system_error& error) {
    spdlog::error("webhook {} of {} has to wait: no thread for it: {}", key.name.text(), key.scope.text(),
                  error.what());
    runs_.pop_back();
  }
}

void Sender::deliver(Run& run) {
  const auto done = courier_.deliver(run.key, is_stopped_);
  if (!done)
    spdlog::error("delivering to webhook {} of {}: {}", run.key.name.text(), run.key.scope.text(),
                  to_string(done.error()));
  run.is_over = true;
  // What was written while this one ended was left to it.
  if (done) wake_.wake();
}

void Sender::end_runs(bool all) {
  for (auto run = runs_.begin(); run != runs_.end();) {
    if (!all && !run->is_over) {
      ++run;
      continue;
    }
    run->thread.join();
    run = runs_.erase(run);
  }
}

}  // namespace warifu::front::outbox
