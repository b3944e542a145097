#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>

#include "audit/entry.h"
#include "base/time.h"
#include "crypto/system_entropy.h"
#include "provisioning/records.h"

namespace warifu::bench {

// The audit entries of one registration, as the product and its bound write them.
audit::Entry opened_entry(const provisioning::Operation& operation);
audit::Entry ended_entry(const provisioning::Operation& operation);

// The same rows into the same tables by SQLite's C interface alone.
class BareRegistrations {
 public:
  explicit BareRegistrations(const std::filesystem::path& path);
  // Opens `group` operations in one commit and ends them in another, `groups` times.
  void run(std::uint64_t groups, std::uint64_t group);

 private:
  using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

  void execute(const std::string& sql);
  Statement prepare(const char* sql);
  void step(const Statement& statement);
  void open(std::uint64_t number);
  void end(std::uint64_t number);
  void audit(const ScopeId& scope, const audit::Entry& entry);

  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
  Statement begin_, commit_, open_, device_, end_, audit_;
  std::uint64_t next_ = 1;
};

// Rows of 232 bytes under random keys of 32, by SQLite's C interface alone: the least that keeps what a device did.
class BareRows {
 public:
  explicit BareRows(const std::filesystem::path& path);
  // In one commit.
  void run(int rows);

 private:
  crypto::SystemEntropy entropy_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> insert_{nullptr, sqlite3_finalize};
  const Bytes value_ = Bytes(200, 0x5a);
};

// The least that makes one thing durable: a page in a file that need not grow, as the pages of a log that is used
// again. (An append costs the file system's own journal too, and SQLite is then faster than its bound.)
class PageAndSync {
 public:
  explicit PageAndSync(const std::filesystem::path& path);
  ~PageAndSync();
  PageAndSync(const PageAndSync&) = delete;
  PageAndSync& operator=(const PageAndSync&) = delete;

  void run();

 private:
  static constexpr int kPages = 256;
  int descriptor_;
  int next_ = 0;
  const Bytes page_ = Bytes(4096, 0x5a);
};

// Where the databases of a bench lie: TMPDIR, else /var/tmp, because /tmp may be memory.
std::filesystem::path folder_on_disk();

}  // namespace warifu::bench
