#include "provisioning/terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace warifu::provisioning {
namespace {

constexpr std::array kReprovisions = {
    std::pair{Reprovision::kMigrate, std::string_view("migrate")},
    std::pair{Reprovision::kReset, std::string_view("reset")},
    std::pair{Reprovision::kNever, std::string_view("never")},
};
constexpr std::array kAllocations = {
    std::pair{Allocation::kHashed, std::string_view("hashed")},
    std::pair{Allocation::kStatic, std::string_view("static")},
    std::pair{Allocation::kGeoLatency, std::string_view("geo-latency")},
    std::pair{Allocation::kCustom, std::string_view("custom")},
};
constexpr std::array kRequirements = {
    std::pair{RequiredAttestation::kWarning, std::string_view("warning")},
    std::pair{RequiredAttestation::kAffirming, std::string_view("affirming")},
};
constexpr std::size_t kHostSizeMax = 253;  // RFC 1035 §2.3.4, in text
constexpr std::size_t kLabelSizeMax = 63;

bool is_label(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= kLabelSizeMax && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, allowed);
}

// RFC 1123 §2.1. Devices take it as it stands for the name of a host, so nothing else may be in it.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kHostSizeMax) return false;
  for (;;) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

Status check_size(const std::optional<std::string>& json, std::string_view where) {
  if (!json || json->size() <= kTermsJsonSizeMax) return {};
  return invalid_input("enrollment.too_large",
                       fmt::format("expected at most {} bytes of JSON, {} came", kTermsJsonSizeMax, json->size()),
                       std::string(where));
}

Status check_hubs(const Terms& terms) {
  if (terms.hubs.size() > kHubsMax)
    return invalid_input("enrollment.hubs",
                         fmt::format("expected at most {} hubs, {} came", kHubsMax, terms.hubs.size()), "hubs");
  for (const auto& hub : terms.hubs)
    if (!is_host_name(hub))
      return invalid_input("enrollment.hub", fmt::format("\"{}\" is not the name of a host", hub), "hubs");
  if (terms.allocation == Allocation::kStatic && terms.hubs.size() > 1)
    return invalid_input(
        "enrollment.hubs",
        fmt::format("static allocation takes one hub, {} came; hashed allocation takes several", terms.hubs.size()),
        "hubs");
  return {};
}

Status check_interval(const std::optional<std::chrono::seconds>& interval) {
  if (!interval || (*interval >= kAttestationIntervalMin && *interval <= kAttestationIntervalMax)) return {};
  return invalid_input("enrollment.attestation_interval",
                       fmt::format("expected {} to {} seconds, {} came", kAttestationIntervalMin.count(),
                                   kAttestationIntervalMax.count(), interval->count()),
                       "attestation_interval_seconds");
}

}  // namespace

std::string_view to_string(Reprovision reprovision) {
  return std::ranges::find(kReprovisions, reprovision, &decltype(kReprovisions)::value_type::first)->second;
}

std::string_view to_string(Allocation allocation) {
  return std::ranges::find(kAllocations, allocation, &decltype(kAllocations)::value_type::first)->second;
}

std::string_view to_string(RequiredAttestation required) {
  return std::ranges::find(kRequirements, required, &decltype(kRequirements)::value_type::first)->second;
}

Result<Reprovision> parse_reprovision(std::string_view text) {
  for (const auto& [value, name] : kReprovisions)
    if (name == text) return value;
  return invalid_input("enrollment.reprovision",
                       fmt::format("\"{}\" is no re-provisioning policy: migrate, reset or never", text));
}

Result<Allocation> parse_allocation(std::string_view text) {
  for (const auto& [value, name] : kAllocations)
    if (name == text) return value;
  return invalid_input("enrollment.allocation",
                       fmt::format("\"{}\" is no allocation policy: hashed, static, geo-latency or custom", text));
}

Result<RequiredAttestation> parse_required_attestation(std::string_view text) {
  for (const auto& [value, name] : kRequirements)
    if (name == text) return value;
  return invalid_input("enrollment.required_attestation",
                       fmt::format("\"{}\" cannot be demanded of an attestation: affirming or warning", text));
}

Status check_terms(const Terms& terms) {
  TRY_STATUS(check_hubs(terms));
  TRY_STATUS(check_interval(terms.attestation_interval));
  if ((terms.allocation == Allocation::kCustom) != terms.custom_allocation.has_value())
    return invalid_input("enrollment.custom_allocation",
                         "custom allocation needs a custom_allocation, and nothing else takes one",
                         "custom_allocation");
  TRY_STATUS(check_size(terms.initial_twin, "initial_twin"));
  TRY_STATUS(check_size(terms.custom_allocation, "custom_allocation"));
  return check_size(terms.device_information, "device_information");
}

}  // namespace warifu::provisioning
