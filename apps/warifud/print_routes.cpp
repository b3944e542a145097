#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "warifud/commands.h"
#include "warifud/service.h"
#include "warifud/signer_link.h"

namespace warifu::warifud {
namespace {

void add_json(boost::json::array& array, std::string_view listener, const front::Router& router) {
  for (const front::Route& route : router.routes())
    array.push_back(boost::json::object{{"listener", listener},
                                        {"method", net::to_string(route.method)},
                                        {"path", route.pattern},
                                        {"access", route.access.text()}});
}

void print_text(std::string_view listener, const front::Router& router) {
  for (const front::Route& route : router.routes())
    fmt::print("{:<9}  {:<6}  {:<72}  {}\n", listener, net::to_string(route.method), route.pattern,
               route.access.text());
}

}  // namespace

Status print_routes(const Place& place, bool json) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto store, organisation.open_store(outside));
  TRY(const auto options, ServeOptions::from({.data_dir = place.data_dir.string()}));
  TRY(const auto server_name, organisation.server_name());
  SignerLink signer(place);  // which is not asked
  const Service service(organisation, {}, *store, signer, outside, options, server_name);
  if (!json) {
    print_text("devices", service.device_routes());
    print_text("operators", service.operator_routes());
    print_text("compat", service.compat_routes());
    print_text("http", service.http_routes());
    return {};
  }
  boost::json::array routes;
  add_json(routes, "devices", service.device_routes());
  add_json(routes, "operators", service.operator_routes());
  add_json(routes, "compat", service.compat_routes());
  add_json(routes, "http", service.http_routes());
  fmt::print("{}\n", boost::json::serialize(routes));
  return {};
}

}  // namespace warifu::warifud
