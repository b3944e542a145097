#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/entropy.h"
#include "webhooks/records.h"

// When a delivery that failed is tried again.
namespace warifu::webhooks {

// 1 s, 2 s, 4 s, … to an hour, of which a random part of up to a half is taken off, so that many that failed together
// do not come together. `failures` counts from 1; `random` is all of it that is drawn.
std::chrono::microseconds backoff(std::int64_t failures, std::uint32_t random);
std::uint32_t draw(Entropy& entropy);

// What became of an attempt.
struct Outcome {
  bool is_delivered = false;
  // The receiver is there and does not take this event: others may pass it.
  bool is_refused = false;
  std::string failure = {};                              // for people; empty when it was delivered
  std::optional<std::chrono::seconds> retry_after = {};  // as the receiver asks
};

// Of an answer: 2xx is a success; 408, 425, 429, 502, 503 and 504 say that the receiver cannot now; the rest, that it
// does not take the event.
Outcome judge(int status, std::optional<std::chrono::seconds> retry_after);

// Moves both on. The webhook pauses by how often in a row its receiver was away; the event keeps its place. One that
// was refused waits by how often it was tried itself, or as long as the receiver asks; it holds the others up for
// kBackoffMin only, and says that the receiver is there.
void move_on(Progress& progress, Delivery& delivery, const Outcome& outcome, Timestamp now, std::uint32_t random);

}  // namespace warifu::webhooks
