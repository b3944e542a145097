#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "warifu/commands.h"
#include "warifu/output.h"

// What the commands of every noun do: read lists and records, print them, take things away.
namespace warifu::cli {

// "/api/v1/COLLECTION/ID". kInvalidInput "id.form" for what would change the route.
Result<std::string> path_of(std::string_view collection, const std::string& id);

Result<ApiClient> client_of(const Context& context);

// All pages of a list, one after another.
Result<boost::json::array> get_all(const ApiClient& api, const std::string& path);
Status list(const Context& context, const std::string& path, const std::vector<Column>& columns,
            std::string_view when_empty);
Status show(const Context& context, const std::string& path, const std::vector<Column>& lines);
// For people `sentence`, for programs {"deleted": id}.
Status remove(const Context& context, const std::string& path, const std::string& id, std::string_view sentence);

// Lines that show an attestation result: `first`, the tier of each layer, `last`.
std::vector<Column> with_layers(std::vector<Column> first, const std::vector<Column>& last);

// As JSON or line by line, as the context says.
void print(const Context& context, const boost::json::value& record, const std::vector<Column>& lines);

}  // namespace warifu::cli
