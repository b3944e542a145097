#include "warifu/requests.h"

#include <fmt/format.h>

#include <array>

#include "warifu/pages.h"

namespace warifu::cli {

// In a path an ID needs no escapes (base/ids.h), and what is no ID the server refuses; but a slash must not change the
// route.
Result<std::string> path_of(std::string_view collection, const std::string& id) {
  if (id.empty() || id.find_first_of("/?#% ") != std::string::npos)
    return invalid_input("id.form", fmt::format("\"{}\" is no ID", id));
  return fmt::format("/api/v1/{}/{}", collection, id);
}

Result<ApiClient> client_of(const Context& context) {
  TRY(auto connection, endpoint(context.connection));
  return ApiClient(std::move(connection));
}

Result<boost::json::array> get_all(const ApiClient& api, const std::string& path) {
  boost::json::array all;
  TRY_STATUS(each_item(api, path, [&](const boost::json::value& item) -> Status {
    all.push_back(item);
    return {};
  }));
  return all;
}

Status list(const Context& context, const std::string& path, const std::vector<Column>& columns,
            std::string_view when_empty) {
  TRY(const auto api, client_of(context));
  TRY(auto items, get_all(api, path));
  if (context.json)
    print_json(std::move(items));
  else
    print_table(items, columns, when_empty);
  return {};
}

Status show(const Context& context, const std::string& path, const std::vector<Column>& lines) {
  TRY(const auto api, client_of(context));
  TRY(const auto record, api.get(path));
  print(context, record, lines);
  return {};
}

Status remove(const Context& context, const std::string& path, const std::string& id, std::string_view sentence) {
  TRY(const auto api, client_of(context));
  TRY_STATUS(api.remove(path));
  if (context.json)
    print_json(boost::json::object{{"deleted", id}});
  else
    fmt::print("{}\n", sentence);
  return {};
}

std::vector<Column> with_layers(std::vector<Column> first, const std::vector<Column>& last) {
  static constexpr std::array<Column, 6> kLayers = {{{"  identity", "result.layers.identity"},
                                                     {"  hardware", "result.layers.hardware"},
                                                     {"  boot", "result.layers.boot"},
                                                     {"  configuration", "result.layers.configuration"},
                                                     {"  runtime", "result.layers.runtime"},
                                                     {"  freshness", "result.layers.freshness"}}};
  first.insert(first.end(), kLayers.begin(), kLayers.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

void print(const Context& context, const boost::json::value& record, const std::vector<Column>& lines) {
  if (context.json)
    print_json(record);
  else
    print_record(record.as_object(), lines);
}

}  // namespace warifu::cli
