#include "front/dps_service/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <vector>

#include "wire/json.h"

namespace warifu::front::dps_service {
namespace {

std::string_view name_of(Collection collection) {
  switch (collection) {
    case Collection::kEnrollments:
      return "enrollments";
    case Collection::kEnrollmentGroups:
      return "enrollmentGroups";
    case Collection::kRegistrations:
      return "registrations";
  }
  return "enrollments";
}

std::string_view item_type_of(Collection collection) {
  switch (collection) {
    case Collection::kEnrollments:
      return "enrollment";
    case Collection::kEnrollmentGroups:
      return "enrollmentGroup";
    case Collection::kRegistrations:
      return "deviceRegistration";
  }
  return "enrollment";
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

// In lower case.
std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(kSpace), text.size());
    words.push_back(lower(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return words;
}

}  // namespace

Status check_query(std::string_view body, Collection collection) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY(const auto query, fields.required_string("query"));
  const auto words = words_of(query);
  // The samples of the Node SDK say "*".
  if (words == std::vector<std::string>{"*"} ||
      words == std::vector<std::string>{"select", "*", "from", lower(name_of(collection))})
    return {};
  return invalid_input(
      "query.form",
      fmt::format("the query that is served here is \"SELECT * FROM {}\": no WHERE, no ORDER BY", name_of(collection)),
      "query");
}

Result<std::size_t> page_size_of(const Call& call) {
  const auto text = call.request.header("x-ms-max-item-count");
  if (!text) return kPageSizeDefault;
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
  if (error != std::errc() || end != text->data() + text->size() || size == 0)
    return invalid_input("query.page_size", "expected a number of items above 0", "x-ms-max-item-count");
  return std::min(size, kPageSizeMax);
}

net::HttpResponse query_response(Collection collection, const boost::json::array& items,
                                 const std::string& continuation) {
  net::HttpResponse response{200, {}, "application/json; charset=utf-8", boost::json::serialize(items)};
  response.headers.emplace_back("x-ms-item-type", item_type_of(collection));
  if (!continuation.empty()) response.headers.emplace_back("x-ms-continuation", continuation);
  return response;
}

}  // namespace warifu::front::dps_service
