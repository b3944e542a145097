#include "store/sql_records.h"

#include <fmt/format.h>

namespace warifu::store {

Status name_conflict(Status inserted, std::string_view code, std::string_view what, std::string_view key) {
  if (inserted || inserted.error().code != "store.unique") return inserted;
  return Error{ErrorKind::kConflict, code, fmt::format("{} {} exists", what, key)};
}

}  // namespace warifu::store
