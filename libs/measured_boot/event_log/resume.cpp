#include "measured_boot/event_log/resume.h"

#include <algorithm>
#include <vector>

namespace warifu::measured_boot {
namespace {

std::vector<const Event*> firmware_part(const EventLog& log) {
  std::vector<const Event*> part;
  std::size_t end = 0;
  for (const Event& event : log.events()) {
    if (!event.is_measured() || event.register_index >= kFirmwareRegisters) continue;
    part.push_back(&event);
    if (event.type == EventType::kSeparator) end = part.size();
  }
  part.resize(end);
  return part;
}

}  // namespace

std::optional<std::uint32_t> first_firmware_difference(const EventLog& earlier, const EventLog& last,
                                                       crypto::HashAlgorithm bank) {
  const auto before = firmware_part(earlier);
  const auto now = firmware_part(last);
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool same = i < before.size() && before[i]->register_index == now[i]->register_index &&
                      !last.digest(*now[i], bank).empty() &&
                      std::ranges::equal(earlier.digest(*before[i], bank), last.digest(*now[i], bank));
    if (!same) return now[i]->number;
  }
  if (before.size() > now.size()) return static_cast<std::uint32_t>(last.events().size());
  return std::nullopt;
}

}  // namespace warifu::measured_boot
