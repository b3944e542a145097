#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "measured_boot/event_log/proof.h"

// How a claim shows what proves it.
namespace warifu::cli {

template <class T>
boost::json::object proved(boost::json::value value, const measured_boot::Proved<T>& proof) {
  return {
      {"value", std::move(value)}, {"proved", true}, {"event", proof.event()}, {"register", proof.register_index()}};
}
template <class T>
boost::json::object proved(const std::string& text, const measured_boot::Proved<T>& proof) {
  return proved(boost::json::value(std::string_view(text)), proof);
}
template <class T>
boost::json::object described(boost::json::value value, const measured_boot::Described<T>& told) {
  return {{"value", std::move(value)}, {"proved", false}, {"event", told.event}};
}
template <class T>
boost::json::object described(const std::string& text, const measured_boot::Described<T>& told) {
  return described(boost::json::value(std::string_view(text)), told);
}

// A list of claims, each with its proof; `describe` makes JSON of what is claimed.
template <class T, class Describe>
boost::json::array proved_each(const std::vector<measured_boot::Proved<T>>& claims, Describe describe) {
  boost::json::array all;
  for (const auto& claim : claims)
    all.push_back(proved(boost::json::value(describe(*claim)), claim));
  return all;
}

}  // namespace warifu::cli
