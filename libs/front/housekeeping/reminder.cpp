#include "front/housekeeping/reminder.h"

#include <utility>

namespace warifu::front::housekeeping {

std::vector<std::string> Reminder::due(const std::vector<std::string>& texts) {
  const Timestamp now = clock_.now();
  std::vector<std::string> now_said;
  std::map<std::string, Timestamp> said;
  for (const std::string& text : texts) {
    const auto before = said_.find(text);
    // Later than now: the clock was ahead.
    const bool is_due = before == said_.end() || now < before->second || now - before->second >= kApart;
    if (is_due) now_said.push_back(text);
    said.emplace(text, is_due ? now : before->second);
  }
  said_ = std::move(said);
  return now_said;
}

}  // namespace warifu::front::housekeeping
