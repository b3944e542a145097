#include "warifud/organisation.h"

#include <fmt/format.h>

#include "pki/authority.h"

namespace warifu::warifud {

Result<Organisation> Organisation::open(const Place& place) {
  keystore::DataDir data_dir(place.data_dir);
  TRY_STATUS(data_dir.check());
  TRY(auto master_key, keystore::MasterKey::load(data_dir));
  auto database = place.database.value_or(data_dir.database());
  // Opening it would make an empty one.
  std::error_code ignored;
  if (!std::filesystem::exists(database, ignored))
    return Error{ErrorKind::kNotFound, "database.missing",
                 fmt::format("there is no database at {}: name the right one with --database, or restore a backup",
                             database.string())};
  return Organisation{std::move(data_dir), std::move(master_key), std::move(database)};
}

Result<std::string> Organisation::server_name() const {
  TRY(const auto chain, data_dir.read_node_chain());
  return pki::ServerNames::of(chain.front()).primary;
}

Result<std::unique_ptr<store::SqliteStore>> Organisation::open_store(Outside& outside) const {
  return store::SqliteStore::open({.path = database, .clock = outside.clock, .entropy = outside.entropy});
}

}  // namespace warifu::warifud
