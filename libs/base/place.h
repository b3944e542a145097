#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace warifu {

// The error with what it happened in (a member, a file, one of several) in front of its place.
inline Error at(Error error, std::string where) {
  if (!error.where.empty()) where += ", " + error.where;
  error.where = std::move(where);
  return error;
}

}  // namespace warifu
