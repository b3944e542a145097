#include "agent/runner.h"

#include <fmt/format.h>

#include "agent/refusal.h"

namespace warifu::agent {

void Runner::run() {
  // SIGHUP cuts a wait short, also that of a back-off: an operator has mended something.
  while (outside_.waiter.wait(attempt()) != Woken::kToStop)
    continue;
}

std::chrono::milliseconds Runner::attempt() {
  const auto registration = contact_.make(Registering::kIfNeeded);
  if (registration) {
    backoff_.reset();
    tell(*registration);
    return backoff_.around(check_every_);
  }
  // The one who stops it is heard at the next wait.
  if (registration.error().code == "agent.stopped") return std::chrono::milliseconds(0);
  const auto wait = backoff_.next(registration.error(), contact_.retry_after());
  outside_.progress.note(fmt::format("{}. Next try in {} s", explain(registration.error()),
                                     std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return wait;
}

void Runner::tell(const Registration& registration) {
  if (told_ == registration) return;
  told_ = registration;
  outside_.progress.note(fmt::format("the device is provisioned: {} at {}, since {}", registration.device_id,
                                     registration.assigned_hub, registration.assigned_at));
}

}  // namespace warifu::agent
