#pragma once

#include "base/time.h"
#include "crypto/system_entropy.h"
#include "keystore/data_dir.h"
#include "keystore/master_key.h"
#include "store/sqlite_store.h"

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

  static Result<Organisation> open(const std::filesystem::path& path);
  // The first name in the node's certificate.
  Result<std::string> server_name() const;
  Result<std::unique_ptr<store::SqliteStore>> open_store(
      Outside& outside, const std::optional<std::filesystem::path>& database = {}) const;
};

}  // namespace warifu::warifud
