#pragma once

#include "base/time.h"
#include "crypto/system_entropy.h"
#include "keystore/data_dir.h"
#include "keystore/master_key.h"
#include "store/store.h"
#include "warifud/options.h"

namespace warifu::warifud {

// The real world, for the object graph of each command.
struct Outside {
  SystemClock clock;
  crypto::SystemEntropy entropy;
};

// An initialised data directory with its master key.
struct Organisation {
  keystore::DataDir data_dir;
  keystore::MasterKey master_key;
  Database database;

  static Result<Organisation> open(const Place& place);
  // The first of the names that this server was given.
  Result<std::string> server_name() const;
  Result<std::unique_ptr<store::Store>> open_store(Outside& outside) const;
};

// Makes the tables, or brings them up to date.
Result<std::unique_ptr<store::Store>> open_store(const Database& database, Outside& outside);

// The one in the data directory, unless the place names another.
Database database_of(const Place& place);

}  // namespace warifu::warifud
