#pragma once

#include <chrono>
#include <string_view>

#include "agent/server_check.h"
#include "agent/transport.h"
#include "base/entropy.h"
#include "base/state_files.h"
#include "base/time.h"
#include "frames/channel.h"

namespace warifu::agent {

enum class Woken { kByTime, kToStop, kToCheckNow };  // SIGTERM, SIGHUP

// The only way to sleep, so that a test need not. Who was told to stop once is told so for ever.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual Woken wait(std::chrono::milliseconds time) = 0;
  // Whether the next wait() will say kToStop. Waits for nothing and takes no other signal away: for whoever is in the
  // middle of something long.
  virtual bool is_told_to_stop() { return false; }
};

// Told to a person, while it happens.
class Progress {
 public:
  static constexpr int kSteps = 6;
  virtual ~Progress() = default;
  // One of kSteps is done.
  virtual void step(int number, std::string_view what) = 0;
  // Something beside the way that an operator should know.
  virtual void note(std::string_view what) = 0;
};

// What the agent works with.
struct Outside {
  Transport& transport;
  const TcbServerCheck& server_check;  // the one that the transport asks
  frames::Channel& tcb;
  StateFiles& files;
  const Clock& clock;
  Entropy& entropy;
  Waiter& waiter;
  Progress& progress;
};

}  // namespace warifu::agent
