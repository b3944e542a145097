#include "provisioning/allocation.h"

#include <algorithm>

#include "crypto/digest.h"

namespace warifu::provisioning {
namespace {

std::string hashed(const std::vector<std::string>& hubs, const RegistrationId& registration) {
  const auto weight = [&](const std::string& hub) {
    return to_bytes(
        crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(hub), as_bytes("\n"), as_bytes(registration.text())})
            .bytes());
  };
  return *std::ranges::max_element(hubs, {}, weight);
}

}  // namespace

Result<std::string> allocate(const Terms& terms, const std::vector<std::string>& own_hubs,
                             const RegistrationId& registration) {
  const auto& hubs = terms.hubs.empty() ? own_hubs : terms.hubs;
  if (terms.allocation == Allocation::kCustom)
    return Error{
        ErrorKind::kRefused, "enrollment.allocation",
        "the enrollment wants custom allocation by a webhook, which is not served yet: choose static or hashed"};
  if (terms.allocation == Allocation::kStatic || hubs.size() == 1) return hubs.front();
  return hashed(hubs, registration);
}

}  // namespace warifu::provisioning
