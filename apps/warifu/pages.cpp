#include "warifu/pages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "wire/json.h"

namespace warifu::cli {

// ApiClient takes that many of the largest enrollments.
constexpr int kPageSize = 500;

Status each_item(const FetchPage& fetch, const std::function<Status(const boost::json::value&)>& visit) {
  std::string after;
  for (;;) {
    TRY(const auto page, fetch(fmt::format("?limit={}{}", kPageSize, after)));
    TRY(const auto fields, wire::JsonFields::of(page));
    TRY(const auto* items, fields.required_array("items"));
    for (const auto& item : *items) {
      TRY_STATUS(visit(item));
    }
    TRY(const auto next, fields.optional_string("next"));
    if (!next) return {};
    after = "&after=" + *next;
  }
}

Status each_item(const ApiClient& api, const std::string& path,
                 const std::function<Status(const boost::json::value&)>& visit) {
  const bool has_query = path.find('?') != std::string::npos;
  return each_item(
      [&](const std::string& query) { return api.get(path + (has_query ? "&" + query.substr(1) : query)); }, visit);
}

}  // namespace warifu::cli
