#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>

#include "warifu/api_client.h"

namespace warifu::cli {

// One page of a list, for a query like "?limit=500&after=meter-1".
using FetchPage = std::function<Result<boost::json::value>(const std::string& query)>;

// Visits the items of a list page by page, so that no list is in memory whole. The first error ends it.
Status each_item(const FetchPage& fetch, const std::function<Status(const boost::json::value&)>& visit);
Status each_item(const ApiClient& api, const std::string& path,
                 const std::function<Status(const boost::json::value&)>& visit);

}  // namespace warifu::cli
