#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "store/connection.h"

struct sqlite3;

namespace warifu::store {

// A connection to an SQLite database.
class SqliteConnection final : public Connection {
 public:
  enum class Mode { kCreate, kExisting };
  // An empty `vfs` means the operating system's files; what is made there is for its owner alone.
  static Result<SqliteConnection> open(const std::filesystem::path& path, Mode mode, const std::string& vfs = {});

  Status execute(const std::string& sql) override;
  std::int64_t changes() const override;
  std::int64_t total_changes() const override;
  bool in_transaction() const override;

  sqlite3* handle() const { return connection_.get(); }
  Error error(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit SqliteConnection(sqlite3* connection) : connection_(connection) {}
  Result<std::unique_ptr<Statement>> make_statement(const char* sql) override;

  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace warifu::store
