#pragma once

#include <utility>

#include "base/place.h"
#include "wire/json.h"

// Members of a body that become types of ours.
namespace warifu::front::api {

template <class Id>
Result<Id> parse_id(const wire::JsonFields& fields, std::string_view name) {
  TRY(const auto text, fields.required_string(name));
  auto id = Id::parse(text);
  if (!id) return at(std::move(id).error(), fields.path_of(name));
  return id;
}

}  // namespace warifu::front::api
