#include "front/api/body_limits.h"

#include <fmt/format.h>

namespace warifu::front::api {
namespace {

bool is_bulk(const Route& route) {
  const std::string_view pattern = route.pattern;
  // The last two are the bulk operation of the DPS service API.
  return route.method == net::Method::kPost && (pattern.starts_with("/api/v1/bulk/") || pattern.ends_with("/eks") ||
                                                pattern == "/enrollments" || pattern == "/enrollments/");
}

}  // namespace

Route with_body_limit(Route route) {
  const std::size_t limit = is_bulk(route) ? kBulkBodySizeMax : kBodySizeMax;
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
