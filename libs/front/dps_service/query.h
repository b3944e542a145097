#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "front/http/route.h"
#include "provisioning/records.h"

// Queries of the service API: {"query": "SELECT * FROM enrollments"} with x-ms-max-item-count and x-ms-continuation.
namespace warifu::front::dps_service {

enum class Collection { kEnrollments, kEnrollmentGroups, kRegistrations };

constexpr std::size_t kPageSizeDefault = 100;
constexpr std::size_t kPageSizeMax = 1'000;

// There is one query for each collection: all of it, in the order of its IDs. kInvalidInput "query.form" says which.
Status check_query(std::string_view body, Collection collection);

// How many items are asked for; more than kPageSizeMax are answered with that many. kInvalidInput "query.page_size".
Result<std::size_t> page_size_of(const Call& call);

// The page to read: one more than the size, to learn whether there is a next one. kInvalidInput "query.continuation".
template <class Key>
Result<provisioning::Page<Key>> page_of(const Call& call) {
  TRY(const auto size, page_size_of(call));
  provisioning::Page<Key> page{std::nullopt, size + 1};
  if (const auto continuation = call.request.header("x-ms-continuation")) {
    auto key = Key::parse(*continuation);
    if (!key)
      return invalid_input("query.continuation", "expected the x-ms-continuation of an earlier answer",
                           "x-ms-continuation");
    page.after = *std::move(key);
  }
  return page;
}

// The items as an array; `continuation` is the key of the last one if there are more, else empty: then its header
// field is absent, which is how the SDKs know that this was the last page.
net::HttpResponse query_response(Collection collection, const boost::json::array& items,
                                 const std::string& continuation);

}  // namespace warifu::front::dps_service
