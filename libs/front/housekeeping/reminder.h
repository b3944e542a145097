#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace warifu::front::housekeeping {

// Says what needs somebody's attention once a day, not each time that it is found. One thread uses it. The clock
// outlives it.
class Reminder {
 public:
  static constexpr std::chrono::days kApart{1};

  explicit Reminder(const Clock& clock) : clock_(clock) {}

  // Those of the texts that are to be said now.
  std::vector<std::string> due(const std::vector<std::string>& texts);

 private:
  const Clock& clock_;
  std::map<std::string, Timestamp> said_;  // of what was found the last time
};

}  // namespace warifu::front::housekeeping
