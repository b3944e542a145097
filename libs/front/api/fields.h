#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "wire/json.h"

// Members of a body that become types of ours.
namespace warifu::front::api {

// The error with the member that it is about in front of its place.
inline Error at(Error error, std::string where) {
  error.where = error.where.empty() ? std::move(where) : fmt::format("{}, {}", where, error.where);
  return error;
}

template <class Id>
Result<Id> parse_id(const wire::JsonFields& fields, std::string_view name) {
  TRY(const auto text, fields.required_string(name));
  auto id = Id::parse(text);
  if (!id) return at(std::move(id).error(), fields.path_of(name));
  return id;
}

}  // namespace warifu::front::api
