#pragma once

#include <chrono>
#include <optional>

#include "agent/backoff.h"
#include "agent/contact.h"

namespace warifu::agent {

// `warifu-agent run`: provisions until it worked, then looks every `check_every`, a tenth more or less, whether it
// still holds. One timer,
// and nothing else wakes the process.
class Runner {
 public:
  Runner(Outside& outside, std::chrono::seconds check_every)
      : outside_(outside), check_every_(check_every), contact_(outside), backoff_(outside.entropy) {}

  // Until the Waiter says stop.
  void run();

 private:
  std::chrono::milliseconds attempt();
  // Once for each.
  void tell(const Registration& registration);

  Outside& outside_;
  const std::chrono::seconds check_every_;
  Contact contact_;
  Backoff backoff_;
  std::optional<Registration> told_;
};

}  // namespace warifu::agent
