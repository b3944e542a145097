#include "front/api/body_limits.h"

#include <fmt/format.h>

namespace warifu::front::api {
namespace {

bool is_bulk(const Route& route) {
  return route.method == net::Method::kPost &&
         (route.pattern.starts_with("/api/v1/bulk/") || route.pattern.ends_with("/eks") ||
          route.pattern == "/api/v1/ek-roots" || route.pattern == "/api/v1/ek-crls" ||
          // The bulk operation of the DPS service API.
          route.pattern == "/enrollments" || route.pattern == "/enrollments/");
}

bool takes_package(const Route& route) {
  const bool writes = route.method == net::Method::kPut || route.method == net::Method::kPost;
  return writes &&
         (route.pattern.starts_with("/api/v1/tpm-flaws") || route.pattern.starts_with("/api/v1/firmware-quirks"));
}

std::size_t limit_of(const Route& route) {
  if (route.pattern == "/api/v1/attestation/verify") return kEvidenceBodySizeMax;
  if (takes_package(route)) return kPackageBodySizeMax;
  if (is_bulk(route)) return kBulkBodySizeMax;
  if ((route.method == net::Method::kPut || route.method == net::Method::kPost) &&
      route.pattern.starts_with("/api/v1/attestation-policies/"))
    return kPolicyBodySizeMax;
  return kBodySizeMax;
}

}  // namespace

Route with_body_limit(Route route) {
  const std::size_t limit = limit_of(route);
  route.body_bytes_max = limit;
  route.handle = [limit, handle = std::move(route.handle)](const Call& call) -> Result<Answer> {
    const std::size_t size = call.request.body.size();
    if (size > limit)
      return invalid_input("http.body_too_large",
                           fmt::format("the body of this request has at most {} bytes, {} came", limit, size));
    return handle(call);
  };
  return route;
}

}  // namespace warifu::front::api
