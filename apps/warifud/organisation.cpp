#include "warifud/organisation.h"

#include <fmt/format.h>

#include "pki/authority.h"
#include "store/postgres_store.h"
#include "store/sqlite_store.h"

namespace warifu::warifud {

Result<Organisation> Organisation::open(const Place& place) {
  keystore::DataDir data_dir(place.data_dir);
  TRY_STATUS(data_dir.check());
  TRY(auto master_key, keystore::MasterKey::load(data_dir));
  auto database = database_of(place);
  // Opening it would make an empty one.
  std::error_code ignored;
  const auto* file = std::get_if<SqliteDatabase>(&database);
  if (file != nullptr && !std::filesystem::exists(file->path, ignored))
    return Error{ErrorKind::kNotFound, "database.missing",
                 fmt::format("there is no database at {}: name the right one with --database, or restore a backup",
                             file->path.string())};
  return Organisation{std::move(data_dir), std::move(master_key), std::move(database)};
}

Result<std::string> Organisation::server_name() const {
  TRY(const auto chain, data_dir.read_node_chain());
  return pki::ServerNames::of(chain.front()).primary;
}

Result<std::unique_ptr<store::Store>> Organisation::open_store(Outside& outside) const {
  return warifud::open_store(database, outside);
}

Result<std::unique_ptr<store::Store>> open_store(const Database& database, Outside& outside) {
  if (const auto* server = std::get_if<PostgresDatabase>(&database)) {
    TRY(auto opened,
        store::PostgresStore::open({.url = server->url, .clock = outside.clock, .entropy = outside.entropy}));
    return opened;
  }
  TRY(auto opened,
      store::SqliteStore::open(
          {.path = std::get<SqliteDatabase>(database).path, .clock = outside.clock, .entropy = outside.entropy}));
  return opened;
}

Database database_of(const Place& place) {
  return place.database.value_or(SqliteDatabase{keystore::DataDir(place.data_dir).database()});
}

}  // namespace warifu::warifud
