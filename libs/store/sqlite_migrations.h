#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "store/connection.h"

namespace warifu::store {

// One step of the schema. Steps are never changed once released: a database remembers the hash of each that it took.
struct Migration {
  int version;  // 1, 2, 3 …
  std::string_view name;
  std::string_view sha256;  // hexadecimal, of the file
  const char* sql;
};

// Those that this program was built with, oldest first.
std::span<const Migration> sqlite_migrations();

// Brings the database to the newest of `known`, each step in a transaction of its own. Refuses (kConflict), with
// nothing changed, "store.schema.newer": a database that a newer program migrated; "store.schema.changed": one that
// took another step of the same number; "store.schema.foreign": one that is not ours.
Status migrate(Connection& connection, std::span<const Migration> known, const Clock& clock);

// The same refusals, and "store.schema.older" if steps are missing. Changes nothing.
Status check_schema(Connection& connection, std::span<const Migration> known);

}  // namespace warifu::store
