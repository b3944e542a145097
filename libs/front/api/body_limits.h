#pragma once

#include <cstddef>

#include "front/http/route.h"

// How large a body each route of the operators' API takes. The listener reads the largest of them for who may use the
// route; the rest is refused here, before it is parsed.
namespace warifu::front::api {

// What is read of a body before anybody has shown a credential: a login, a probe.
constexpr std::size_t kBodyOfAnybodySizeMax = 64 * 1024;
constexpr std::size_t kBodySizeMax = 128 * 1024;
// Of routes that take up to 1,000 things at once.
constexpr std::size_t kBulkBodySizeMax = 1024 * 1024;
// A policy may list each file of a distribution.
constexpr std::size_t kPolicyBodySizeMax = 16 * 1024 * 1024;
// A data package of 1 MiB in base64, and the rest.
constexpr std::size_t kPackageBodySizeMax = 2 * 1024 * 1024;
// Of a route that takes evidence: logs of 16 MiB in base64, and the rest.
constexpr std::size_t kEvidenceBodySizeMax = 24 * 1024 * 1024;
constexpr std::size_t kLargestBodySizeMax = kEvidenceBodySizeMax;

// The route with its limit before it. kInvalidInput "http.body_too_large" (413), once the caller has the permission.
Route with_body_limit(Route route);

}  // namespace warifu::front::api
