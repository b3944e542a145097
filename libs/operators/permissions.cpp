#include "operators/permissions.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace warifu::operators {
namespace {

constexpr std::array kNames = {
    std::pair{Permission::kEnrollmentRead, std::string_view("enrollment:read")},
    std::pair{Permission::kEnrollmentWrite, std::string_view("enrollment:write")},
    std::pair{Permission::kDeviceRead, std::string_view("device:read")},
    std::pair{Permission::kHubKeyRead, std::string_view("hub-key:read")},
    std::pair{Permission::kServiceKeyWrite, std::string_view("service-key:write")},
    std::pair{Permission::kMetricsRead, std::string_view("metrics:read")},
    std::pair{Permission::kEscrowRead, std::string_view("escrow:read")},
    std::pair{Permission::kEnrollmentKeyRead, std::string_view("enrollment-key:read")},
    std::pair{Permission::kDeviceApprove, std::string_view("device:approve")},
    std::pair{Permission::kEkRootRead, std::string_view("ek-root:read")},
    std::pair{Permission::kEkRootWrite, std::string_view("ek-root:write")},
    std::pair{Permission::kAttestationRead, std::string_view("attestation:read")},
    std::pair{Permission::kAttestationVerify, std::string_view("attestation:verify")},
    std::pair{Permission::kPolicyRead, std::string_view("policy:read")},
    std::pair{Permission::kPolicyWrite, std::string_view("policy:write")},
    std::pair{Permission::kWebhookRead, std::string_view("webhook:read")},
    std::pair{Permission::kWebhookWrite, std::string_view("webhook:write")},
    std::pair{Permission::kCertificateRead, std::string_view("certificate:read")},
    std::pair{Permission::kCertificateWrite, std::string_view("certificate:write")},
    std::pair{Permission::kApplicationKeyRead, std::string_view("application-key:read")},
    std::pair{Permission::kApplicationKeyWrite, std::string_view("application-key:write")},
};

}  // namespace

Permissions Permissions::all() {
  Permissions all;
  for (const auto& [permission, name] : kNames)
    all.bits_ |= static_cast<std::uint32_t>(permission);
  return all;
}

Permissions Permissions::of_service_api() {
  Permissions permissions;
  for (const auto permission : {Permission::kEnrollmentRead, Permission::kEnrollmentWrite,
                                Permission::kEnrollmentKeyRead, Permission::kDeviceRead})
    permissions.bits_ |= static_cast<std::uint32_t>(permission);
  return permissions;
}

Permissions Permissions::common_with(const Permissions& others) const {
  Permissions common;
  common.bits_ = bits_ & others.bits_;
  return common;
}

Result<Permissions> Permissions::parse(const std::vector<std::string>& names) {
  if (names.empty()) return invalid_input("permission.none", "a credential without any permission is of no use");
  Permissions parsed;
  for (const auto& wanted : names) {
    bool known = false;
    for (const auto& [permission, name] : kNames) {
      if (name != wanted) continue;
      parsed.bits_ |= static_cast<std::uint32_t>(permission);
      known = true;
    }
    if (!known)
      return invalid_input("permission.unknown", fmt::format("\"{}\" is no permission; known are {}", wanted,
                                                             fmt::join(all().names(), ", ")));
  }
  return parsed;
}

std::vector<std::string> Permissions::names() const {
  std::vector<std::string> names;
  for (const auto& [permission, name] : kNames)
    if (contains(permission)) names.emplace_back(name);
  return names;
}

std::string_view to_string(Permission permission) {
  for (const auto& [candidate, name] : kNames)
    if (candidate == permission) return name;
  return "unknown";
}

}  // namespace warifu::operators
