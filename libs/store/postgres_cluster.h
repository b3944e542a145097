#pragma once

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/temp_dir.h"
#include "store/postgres_connection.h"

namespace warifu::store {

// A PostgreSQL server for tests: in a directory of its own, on a UNIX socket, by a user who is not root. It ends with
// this process, however that ends.
class PostgresCluster {
 public:
  // The server that all tests of this process share; started when it is first asked for.
  static PostgresCluster& shared() {
    static PostgresCluster cluster;
    return cluster;
  }

  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;
  ~PostgresCluster() { crash(); }

  std::string url() const { return fmt::format("postgresql://postgres@/postgres?host={}", dir_.path().string()); }
  // Where nothing is yet: another schema each time.
  std::string fresh_url() {
    const std::string schema = fmt::format("test_{}", ++schemas_);
    execute(fmt::format("CREATE SCHEMA {}", schema));
    return fmt::format("{}&options=-csearch_path%3D{}", url(), schema);
  }
  void execute(const std::string& sql) {
    auto connection = PostgresConnection::open({.url = url()});
    if (!connection || !(*connection)->execute(sql)) give_up(sql);
  }

  // As a power cut of the server would: nothing is finished, and it recovers at its next start.
  void crash() {
    if (server_ < 0) return;
    kill(server_, SIGQUIT);
    int status = 0;
    waitpid(server_, &status, 0);
    server_ = -1;
  }
  // `settings` as the server's options, like "-c fsync=off".
  void start(const std::vector<std::string>& settings = {}) {
    std::vector<std::string> command = {"setpriv", "--pdeathsig", "SIGQUIT"};
    if (is_root()) command.insert(command.end(), {"--reuid", "postgres", "--regid", "postgres", "--clear-groups"});
    command.insert(command.end(), {binaries() + "/postgres", "-D", data(), "-k", dir_.path().string(), "-c",
                                   "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=32MB"});
    command.insert(command.end(), settings.begin(), settings.end());
    server_ = fork();
    if (server_ == 0) {
      std::vector<char*> words;
      words.reserve(command.size() + 1);
      for (std::string& word : command)
        words.push_back(word.data());
      words.push_back(nullptr);
      if (std::freopen((dir_.path() / "log").c_str(), "a", stderr) != nullptr) execvp(words[0], words.data());
      _exit(127);
    }
    wait_until_ready();
  }
  // Ends every other connection, as an administrator can. They have ended when this returns: one that the server was
  // only told to end still takes a BEGIN, and whether it answers is chance.
  void end_connections() {
    execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type "
        "= 'client backend'");
  }

 private:
  PostgresCluster() {
    const std::string owner = is_root() ? "setpriv --reuid postgres --regid postgres --clear-groups " : "";
    if (is_root()) run(fmt::format("chown postgres {}", dir_.path().string()));
    // A collation that is not that of bytes, as most servers have one.
    run(
        fmt::format("{}{}/initdb -D {} -U postgres -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu "
                    "--icu-locale=en --no-sync >/dev/null",
                    owner, binaries(), data()));
    start();
  }

  static bool is_root() { return geteuid() == 0; }
  std::string data() const { return (dir_.path() / "data").string(); }
  [[noreturn]] static void give_up(const std::string& what) {
    std::fprintf(stderr, "the PostgreSQL server of the tests: %s failed (scripts/packages.txt lists what it needs)\n",
                 what.c_str());
    std::abort();
  }
  static void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) give_up(command);
  }
  // The newest that Debian installed.
  static std::string binaries() {
    std::string newest;
    std::error_code ignored;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored))
      newest = std::max(newest, (version.path() / "bin").string());
    if (newest.empty()) give_up("finding /usr/lib/postgresql");
    return newest;
  }
  void wait_until_ready() {
    for (int i = 0; i < 600; ++i) {
      if (PostgresConnection::open({.url = url(), .allow_unsafe_server = true})) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    give_up("starting");
  }

  TempDir dir_;
  pid_t server_ = -1;
  int schemas_ = 0;
};

}  // namespace warifu::store
