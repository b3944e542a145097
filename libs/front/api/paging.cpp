#include "front/api/paging.h"

#include <boost/json/serialize.hpp>

namespace warifu::front::api {

net::HttpResponse json_response(int status, const boost::json::object& body) {
  return {status, {}, "application/json", boost::json::serialize(body)};
}

Result<std::size_t> page_size_of(const Call& call) {
  std::size_t size = kPageSizeDefault;
  const auto text = call.target.parameter("limit");
  if (!text) return size;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
  if (error != std::errc() || end != text->data() + text->size() || size == 0 || size > kPageSizeMax)
    return invalid_input("request.limit", fmt::format("a page has 1 to {} items", kPageSizeMax), "limit");
  return size;
}

}  // namespace warifu::front::api
