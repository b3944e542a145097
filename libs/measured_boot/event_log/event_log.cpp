#include "measured_boot/event_log/event_log.h"

namespace warifu::measured_boot {

std::string_view to_string(LogFormat format) {
  return format == LogFormat::kPfpAgile ? "pfp-agile" : "sha1-legacy";
}

ByteView EventLog::digest(const Event& event, std::size_t bank) const {
  const std::uint8_t* bytes = digests_[event.number * banks_.size() + bank];
  return bytes == nullptr ? ByteView() : ByteView(bytes, banks_[bank].digest_size);
}

ByteView EventLog::digest(const Event& event, crypto::HashAlgorithm bank) const {
  const auto position = position_of(bank);
  return position ? digest(event, *position) : ByteView();
}

std::optional<std::size_t> EventLog::position_of(crypto::HashAlgorithm bank) const {
  for (std::size_t i = 0; i < banks_.size(); ++i)
    if (banks_[i].algorithm == bank) return i;
  return std::nullopt;
}

}  // namespace warifu::measured_boot
