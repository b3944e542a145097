#include "warifud/organisation.h"

#include "pki/authority.h"

namespace warifu::warifud {

Result<Organisation> Organisation::open(const Place& place) {
  keystore::DataDir data_dir(place.data_dir);
  TRY_STATUS(data_dir.check());
  TRY(auto master_key, keystore::MasterKey::load(data_dir));
  auto database = place.database.value_or(data_dir.database());
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
