#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

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

}  // namespace warifu::cli
