#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/connection.h"

// What the repository classes share.
namespace warifu::store {

// The row that a bound query finds, if it finds one, as `convert` makes it.
template <class T>
Result<std::optional<T>> read_one(Query& query, Result<T> (*convert)(Row)) {
  TRY(const bool found, query.step());
  if (!found) return std::optional<T>();
  TRY(auto value, convert(query.row()));
  return std::optional<T>(std::move(value));
}

// All rows that a bound query finds.
template <class T>
Result<std::vector<T>> read_all(Query& query, Result<T> (*convert)(Row)) {
  std::vector<T> values;
  for (;;) {
    TRY(const bool more, query.step());
    if (!more) return values;
    TRY(auto value, convert(query.row()));
    values.push_back(std::move(value));
  }
}

// Passes `inserted` on, with a conflict named in the caller's words: `code`, and "`what` `key` exists".
Status name_conflict(Status inserted, std::string_view code, std::string_view what, std::string_view key);

}  // namespace warifu::store
