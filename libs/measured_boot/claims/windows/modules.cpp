#include <fmt/format.h>

#include <set>

#include "measured_boot/claims/windows/extraction.h"

namespace warifu::measured_boot::windows {
namespace {

bool read_text(ByteView data, std::string& text) {
  auto utf8 = utf8_of_utf16(data);
  if (!utf8) return false;
  text = std::move(*utf8);
  return true;
}

bool read_field(const SipaEvent& event, Module& module) {
  switch (event.type) {
    case SipaType::kAuthenticodeHash:
      module.hash = event.data;
      return !event.data.empty() && event.data.size() <= 64;
    case SipaType::kFilePath:
      return read_text(event.data, module.path);
    case SipaType::kAuthorityIssuer:
      return read_text(event.data, module.issuer);
    case SipaType::kAuthorityPublisher:
      return read_text(event.data, module.publisher);
    case SipaType::kImageValidated:
      module.is_validated = event.data.size() == 1 && event.data[0] == 1;
      return event.data.size() == 1;
    default:
      return true;
  }
}

bool read_field(const SipaEvent& event, ElamDriver& driver) {
  switch (event.type) {
    case SipaType::kElamName:
      return read_text(event.data, driver.name);
    case SipaType::kElamMeasured:
      driver.measured = event.data;
      return true;
    case SipaType::kElamPolicy:
      driver.policy = event.data;
      return true;
    case SipaType::kElamConfiguration:
      driver.configuration = event.data;
      return true;
    default:
      return true;
  }
}

// False if a field does not read as its type says, or comes twice: then which one counts is anybody's guess. Several
// aggregations may stand in one.
template <class Part>
bool read_fields(const std::vector<SipaEvent>& events, Part& part) {
  std::set<SipaType> seen;
  for (const SipaEvent& event : events)
    if ((event.inner.empty() && !seen.insert(event.type).second) || !read_field(event, part)) return false;
  return true;
}

}  // namespace

bool Extraction::read_module(const SipaEvent& event) {
  Module module;
  if (!has_room() || !read_fields(event.inner, module) || module.hash.empty()) return false;
  claims_.modules.found_.push_back(proved(std::move(module)));
  return true;
}

bool Extraction::read_elam(const SipaEvent& event) {
  ElamDriver driver;
  if (!has_room() || !read_fields(event.inner, driver)) return false;
  const bool is_first_time = current_->register_index() == 12;
  if (is_first_time && !driver.name.empty()) claims_.elam_drivers.push_back(proved(std::move(driver)));
  for (const SipaEvent& inner : event.inner)
    if (inner.type == SipaType::kElamDriver && !read_elam(inner)) return false;
  return true;
}

void Extraction::tell_flags(std::vector<ClaimFinding>& findings) const {
  for (std::size_t row = 0; row < kFlags.size(); ++row) {
    const auto& flag = claims_.flags[row];
    if (flag && **flag == kFlags[row].worse && !kFlags[row].finding.empty())
      findings.push_back({kFlags[row].finding, "a loader of Windows says so", flag->event()});
  }
}

std::string_view to_string(Flag flag) {
  return kFlags[static_cast<std::size_t>(flag)].name;
}

std::string_view to_string(NxPolicy policy) {
  constexpr std::array<std::string_view, 4> kNames = {"opt-in", "opt-out", "always-off", "always-on"};
  return kNames[static_cast<std::size_t>(policy)];
}

std::string to_string(const BitLockerUnlock& unlock) {
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 8> kNames = {{{0x01, "cached"},
                                                                                 {0x02, "media"},
                                                                                 {0x04, "tpm"},
                                                                                 {0x10, "pin"},
                                                                                 {0x20, "external"},
                                                                                 {0x40, "recovery"},
                                                                                 {0x80, "passphrase"},
                                                                                 {0x100, "network"}}};
  std::string text;
  std::uint32_t rest = unlock.flags;
  for (const auto& [bit, name] : kNames) {
    if ((unlock.flags & bit) == 0) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
    rest &= ~bit;
  }
  if (rest != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : ", ", rest);
  return text.empty() ? "none" : text;
}

}  // namespace warifu::measured_boot::windows
