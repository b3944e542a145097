#include "measured_boot/claims/windows/extraction.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::measured_boot::windows {
namespace {

constexpr RegisterIndex kFirstRegister = 12;
constexpr std::size_t kItemsMax = 65536;
constexpr std::string_view kSeparator = "WBCL";

bool is_boot_application(const SipaEvent& event) {
  return event.type == SipaType::kTrustBoundary;
}

}  // namespace

void Extraction::finding(std::string_view code, std::string detail, const Event& event) {
  findings_.push_back({code, std::move(detail), event.number});
}

bool Extraction::is_separator(const Event& event) const {
  return prover_.hash_of(event, as_bytes(kSeparator)).has_value();
}

bool Extraction::hide(const Event& event, std::string_view code, std::string detail) {
  is_hidden_ = true;
  finding(code, std::move(detail), event);
  return false;
}

bool Extraction::has_room() {
  return ++items_ <= kItemsMax;
}

bool Extraction::add(const Event& event) {
  if (event.register_index < kFirstRegister || event.register_index >= kFirstRegister + is_separated_.size())
    return false;
  bool& is_separated = is_separated_[event.register_index - kFirstRegister];
  if (is_separated) {  // by the system that was started, or by whoever got into it
    if (!is_late_told_) finding("windows.late", "an event after the separator of its register is not read", event);
    is_late_told_ = true;
    return false;
  }
  if (is_separator(event)) {
    is_separated = true;
    return true;
  }
  current_ = prover_.data(event);
  if (!current_) return hide(event, "windows.unproved", "the digest is not that of the data");
  const auto events = parse_sipa(event.data, event.data_offset);
  if (!events) return hide(event, "windows.malformed", to_string(events.error()));
  is_windows_ = is_windows_ || std::ranges::any_of(*events, is_boot_application);
  if (event.type != EventType::kEventTag)
    finding("windows.retyped", "events of Windows under another type than EV_EVENT_TAG", event);
  if (!read_all(*events)) hide(event, "windows.malformed", "a value does not have the form of its type");
  return true;
}

std::optional<WindowsClaims> Extraction::take(std::vector<ClaimFinding>& findings) {
  if (!is_windows_) return std::nullopt;
  findings.insert(findings.end(), findings_.begin(), findings_.end());
  for (std::size_t i = 0; i < is_separated_.size(); ++i)
    if (!is_separated_[i])
      findings.push_back({"windows.separator-missing",
                          fmt::format("PCR {} does not say where the boot ended", kFirstRegister + i), std::nullopt});
  for (const std::string_view what : ambiguous_)
    findings.push_back({"windows.ambiguous", fmt::format("loaders disagree on {}", what), std::nullopt});
  claims_.is_complete = !is_hidden_ && std::ranges::all_of(is_separated_, [](bool is) { return is; });
  claims_.modules.is_complete_ = claims_.is_complete;
  claims_.authorities.is_complete_ = claims_.is_complete;
  tell_flags(findings);
  if (claims_.is_complete) return std::move(claims_);
  // A hidden event could say the opposite.
  findings.push_back({"windows.unsure", "an event that is not explained could say the opposite", std::nullopt});
  for (std::size_t row = 0; row < kFlags.size(); ++row)
    if (claims_.flags[row] && **claims_.flags[row] != kFlags[row].worse) claims_.flags[row].reset();
  claims_.nx_policy.reset();
  claims_.hypervisor_launch_type.reset();
  claims_.vsm_launch_type.reset();
  claims_.hvci_policy.reset();
  return std::move(claims_);
}

}  // namespace warifu::measured_boot::windows
