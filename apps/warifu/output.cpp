#include "warifu/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace warifu::cli {
namespace {

const boost::json::value* inside(const boost::json::value& value, std::string_view name) {
  if (value.is_object()) return value.get_object().if_contains(name);
  const bool has_last = value.is_array() && !value.get_array().empty();
  return has_last && name == "last" ? &value.get_array().back() : nullptr;
}

std::string text_of(const boost::json::object& item, std::string_view member) {
  const boost::json::value* value = item.if_contains(member.substr(0, member.find('.')));
  for (auto dot = member.find('.'); dot != std::string_view::npos && value != nullptr; dot = member.find('.')) {
    member.remove_prefix(dot + 1);
    value = inside(*value, member.substr(0, member.find('.')));
  }
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return std::string(value->get_string());
  return boost::json::serialize(*value);
}

}  // namespace

void print_json(const boost::json::value& value) {
  fmt::print("{}\n", boost::json::serialize(value));
}

void print_table(const boost::json::array& items, const std::vector<Column>& columns, std::string_view when_empty) {
  if (items.empty()) {
    fmt::print("{}\n", when_empty);
    return;
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const Column& column : columns)
    rows[0].emplace_back(column.heading);
  for (const auto& item : items) {
    auto& row = rows.emplace_back();
    for (const Column& column : columns)
      row.push_back(text_of(item.as_object(), column.member));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      fmt::print("{:<{}}  ", row[i], widths[i]);
    fmt::print("{}\n", row.back());
  }
}

void print_record(const boost::json::object& record, const std::vector<Column>& lines) {
  std::size_t width = 0;
  for (const Column& line : lines)
    width = std::max(width, line.heading.size());
  for (const Column& line : lines)
    fmt::print("{:<{}}  {}\n", line.heading, width, text_of(record, line.member));
}

}  // namespace warifu::cli
