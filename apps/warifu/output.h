#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace warifu::cli {

// One column of a list: its heading and the member that it shows; "a.b" is the member b of a, and "a.last" the last
// item of a list.
struct Column {
  std::string_view heading;
  std::string_view member;
};

// For programs: one line of JSON.
void print_json(const boost::json::value& value);
// For people: a line for each item, its columns aligned.
void print_table(const boost::json::array& items, const std::vector<Column>& columns, std::string_view when_empty);
// For people: a line for each member that is a text, number or boolean.
void print_record(const boost::json::object& record, const std::vector<Column>& lines);

}  // namespace warifu::cli
