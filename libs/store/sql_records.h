#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provisioning/records.h"
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

// What a bound `SELECT count(*)` counts.
inline Result<std::size_t> read_count(Query& query) {
  TRY_STATUS(query.step());
  TRY(const auto count, query.row().next<std::int64_t>());
  return static_cast<std::size_t>(count);
}

// Passes `inserted` on, with a conflict named in the caller's words: `code`, and "`what` `key` exists".
Status name_conflict(Status inserted, std::string_view code, std::string_view what, std::string_view key);

// The keyset of a page: every key comes after the empty one.
template <class Key>
std::string_view after(const provisioning::Page<Key>& page) {
  return page.after ? std::string_view(page.after->text()) : std::string_view();
}

inline std::int64_t limit_of(std::size_t limit) {
  return static_cast<std::int64_t>(limit);
}

// A column that holds a name of ours: `parse` reads it; what it does not take was never written by us.
template <class T>
Result<T> read_name(Row& row, Result<T> (*parse)(std::string_view), std::string_view column) {
  TRY(const auto name, row.next<std::string>());
  auto value = parse(name);
  if (!value) return Error{ErrorKind::kInternal, "store.corrupt", value.error().message, std::string(column)};
  return value;
}
// The same of one that may be NULL.
template <class T>
Result<std::optional<T>> read_optional_name(Row& row, Result<T> (*parse)(std::string_view), std::string_view column) {
  TRY(const auto name, row.next<std::optional<std::string>>());
  if (!name) return std::optional<T>();
  auto value = parse(*name);
  if (!value) return Error{ErrorKind::kInternal, "store.corrupt", value.error().message, std::string(column)};
  return std::optional<T>(*std::move(value));
}

}  // namespace warifu::store
