#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warifu::operators {

// What a credential may do. Each API route names the one that it demands.
enum class Permission : std::uint32_t {
  kEnrollmentRead = 1U << 0,
  kEnrollmentWrite = 1U << 1,
  kDeviceRead = 1U << 2,
  kHubKeyRead = 1U << 3,
  kServiceKeyWrite = 1U << 4,
  kMetricsRead = 1U << 5,
  kEscrowRead = 1U << 6,
  kEnrollmentKeyRead = 1U << 7,
  kDeviceApprove = 1U << 8,
  kEkRootRead = 1U << 9,
  kEkRootWrite = 1U << 10,
  kAttestationRead = 1U << 11,
  kAttestationVerify = 1U << 12,
  kPolicyRead = 1U << 13,
  kPolicyWrite = 1U << 14,
  kWebhookRead = 1U << 15,
  kWebhookWrite = 1U << 16,
  kCertificateRead = 1U << 17,
  kCertificateWrite = 1U << 18,
  kApplicationKeyRead = 1U << 19,
  kApplicationKeyWrite = 1U << 20,
};

class Permissions {
 public:
  Permissions() = default;
  static Permissions all();
  // What the DPS service API demands.
  static Permissions of_service_api();
  // "enrollment:read"; the names are those of the API. An unknown name is refused, and so is an empty list.
  static Result<Permissions> parse(const std::vector<std::string>& names);

  bool contains(Permission permission) const { return (bits_ & static_cast<std::uint32_t>(permission)) != 0; }
  bool contains_all(const Permissions& others) const { return (bits_ & others.bits_) == others.bits_; }
  bool empty() const { return bits_ == 0; }
  // What both have.
  Permissions common_with(const Permissions& others) const;
  std::vector<std::string> names() const;
  friend bool operator==(const Permissions&, const Permissions&) = default;

 private:
  std::uint32_t bits_ = 0;
};

std::string_view to_string(Permission permission);

}  // namespace warifu::operators
