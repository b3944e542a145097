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
  // A program that knows this version may work with the schema that the step leaves, though it does not know the step.
  int compatible_from;
};

// Those that this program was built with, oldest first. Both dialects describe the same tables.
std::span<const Migration> sqlite_migrations();
std::span<const Migration> postgres_migrations();

// The first step after which databases remember `compatible_from`.
inline constexpr int kFirstRollingVersion = 4;

// What a database's own way of keeping a schema is.
class SchemaDialect {
 public:
  enum class Contents { kNothing, kOurs, kForeign };

  virtual ~SchemaDialect() = default;
  virtual Result<Contents> look(Connection& connection) const = 0;
  // Begins a transaction in which nobody else migrates. It may be asked of a database that holds nothing yet.
  virtual Status begin_alone(Connection& connection) const = 0;
  // In the transaction of the first step: makes the table schema_migrations (version, sha256, applied_at).
  virtual Status make_ours(Connection& connection) const = 0;
};

const SchemaDialect& sqlite_schema();
const SchemaDialect& postgres_schema();

// Brings the database to the newest of `known`, each step in a transaction of its own. A database that a newer program
// migrated is left as it is, if its steps say that a program of this version may work with it. Refuses (kConflict),
// with nothing changed, "store.schema.newer": one that does not say so; "store.schema.changed": one that took another
// step of the same number; "store.schema.foreign": one that is not ours.
Status migrate(Connection& connection, const SchemaDialect& dialect, std::span<const Migration> known,
               const Clock& clock);

// The same refusals, and "store.schema.older" if steps are missing. Changes nothing.
Status check_schema(Connection& connection, const SchemaDialect& dialect, std::span<const Migration> known);

}  // namespace warifu::store
