#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>

#include "warifu/api_client.h"

namespace warifu::cli {

// Visits the items of a list page by page, so that no list is in memory whole. The first error ends it.
Status each_item(const ApiClient& api, const std::string& path,
                 const std::function<Status(const boost::json::value&)>& visit);

}  // namespace warifu::cli
