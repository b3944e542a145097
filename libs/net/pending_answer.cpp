#include "net/pending_answer.h"

#include <utility>

namespace warifu::net {

HttpResponse internal_error() {
  return {.status = 500,
          .headers = {},
          .content_type = "application/problem+json",
          .body = R"({"type":"about:blank","title":"Internal Server Error","status":500})"};
}

Respond PendingAnswer::respond_function() {
  struct Ticket {
    std::shared_ptr<PendingAnswer> pending;
    explicit Ticket(std::shared_ptr<PendingAnswer> answer) : pending(std::move(answer)) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { pending->fail(); }
  };
  return [ticket = std::make_shared<Ticket>(shared_from_this())](HttpResponse response) {
    ticket->pending->give(std::move(response));
  };
}

void PendingAnswer::give(HttpResponse response) {
  const std::lock_guard lock(mutex_);
  if (!answered_) give_locked(std::move(response));
}

void PendingAnswer::fail() {
  const std::lock_guard lock(mutex_);
  if (!answered_) give_locked(internal_error());
}

void PendingAnswer::give_locked(HttpResponse response) {
  answered_ = true;
  response_ = std::move(response);
  if (wake_) wake_();
}

std::optional<HttpResponse> PendingAnswer::take_or_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (!response_) wake_ = std::move(wake);
  return std::exchange(response_, std::nullopt);
}

void PendingAnswer::abandon() {
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
}

}  // namespace warifu::net
