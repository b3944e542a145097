#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "crypto/system_entropy.h"
#include "front/test_server.h"
#include "harness.h"
#include "net/server.h"
#include "started_threads.h"
#include "store/sqlite_store.h"
#include "tls_peer.h"

namespace warifu::bench {

// The whole server in this process: TLS listeners, dispatchers, domain and database, with one I/O thread. Its rates are
// limited as always, at limits that one address of a bench does not reach.
class WholeServer {
 public:
  // Makes the database, or opens one that it has made. Sabotaged: what would be refused is answered 200.
  WholeServer(const std::filesystem::path& database, const TlsIdentity& identity, Sabotage sabotage);
  ~WholeServer();
  WholeServer(const WholeServer&) = delete;
  WholeServer& operator=(const WholeServer&) = delete;

  double cpu_micros() const { return clock_.micros(); }  // of its threads, the database's too
  std::uint16_t devices_port() const { return devices_port_; }
  std::uint16_t operators_port() const { return operators_port_; }
  const Clock& clock() const { return system_clock_; }
  front::test::Server& parts() { return *server_; }
  store::Store& store() { return *store_; }
  // The hub key of a device as it is stored.
  Result<SecretBytes> stored_hub_key(const std::string& device);

 private:
  class Forgiving;
  bool has_scope();

  const SystemClock system_clock_;
  const SystemMonotonicClock monotonic_clock_;
  crypto::SystemEntropy entropy_;
  StartedThreads clock_;
  std::unique_ptr<store::SqliteStore> store_;
  front::Metrics door_metrics_;
  std::unique_ptr<Forgiving> devices_;
  std::unique_ptr<Forgiving> operators_;
  std::unique_ptr<front::Admission> admission_;
  std::unique_ptr<front::test::Server> server_;
  std::unique_ptr<net::Server> net_;
  std::uint16_t devices_port_ = 0;
  std::uint16_t operators_port_ = 0;
};

}  // namespace warifu::bench
