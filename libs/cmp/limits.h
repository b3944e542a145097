#pragma once

#include <chrono>
#include <cstddef>

namespace warifu::cmp {

struct Limits {
  // Transactions at once. Only who proved something can begin one.
  std::size_t transactions = 10'000;
  // Of one secret or certificate.
  std::size_t transactions_of_one = 8;
  // What is kept to answer repeated requests.
  std::size_t bytes = std::size_t{64} * 1024 * 1024;
  // Requests that may wait for one transaction: each holds a thread.
  std::size_t waiting_for_one = 4;
  // A certificate cannot be confirmed after that: its transaction is over, and it is the issuer's to take it back.
  std::chrono::seconds confirm_within = std::chrono::minutes(10);
  // A transaction that is told to wait ends by then.
  std::chrono::seconds decide_within = std::chrono::hours(1);
  // What is done is answered again as long as that. More than twice the tolerance below: a message with a messageTime
  // is never taken for a new one.
  std::chrono::seconds remember_for = std::chrono::minutes(15);
  // messageTime may be off by that much. Devices without a clock leave it out.
  std::chrono::seconds clock_tolerance = std::chrono::minutes(5);
};

}  // namespace warifu::cmp
