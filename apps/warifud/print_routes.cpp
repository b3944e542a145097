#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "warifud/commands.h"
#include "warifud/service.h"

namespace warifu::warifud {
namespace {

void add(boost::json::array& array, std::string_view listener, const front::Router& router) {
  for (const front::Route& route : router.routes())
    array.push_back(boost::json::object{{"listener", listener},
                                        {"method", net::to_string(route.method)},
                                        {"path", route.pattern},
                                        {"access", route.access.text()}});
}

}  // namespace

Status print_routes(const std::filesystem::path& data_dir) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(data_dir));
  TRY(const auto store, organisation.open_store(outside));
  TRY(const auto options, ServeOptions::from({.data_dir = data_dir.string()}));
  TRY(const auto server_name, organisation.server_name());
  const Service service(organisation, *store, outside, options, server_name);
  boost::json::array routes;
  add(routes, "devices", service.device_routes());
  add(routes, "operators", service.operator_routes());
  fmt::print("{}\n", boost::json::serialize(routes));
  return {};
}

}  // namespace warifu::warifud
