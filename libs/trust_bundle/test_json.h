#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace warifu::trust_bundle {

// A JSON text with the value at a pointer (RFC 6901) set to another; its parent must be there.
inline std::string json_with(std::string_view text, std::string_view pointer, boost::json::value value) {
  boost::json::value whole = boost::json::parse(text);
  const auto cut = pointer.rfind('/');
  boost::json::value& parent = whole.at_pointer(pointer.substr(0, cut));
  const std::string last(pointer.substr(cut + 1));
  if (parent.is_object())
    parent.as_object()[last] = std::move(value);
  else
    parent.as_array().at(std::stoul(last)) = std::move(value);
  return boost::json::serialize(whole);
}

}  // namespace warifu::trust_bundle
