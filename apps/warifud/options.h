#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "device_ca/limits.h"
#include "front/limits/limits.h"
#include "net/limits.h"
#include "pki/device_certificate.h"
#include "verifier/limits.h"

namespace warifu::warifud {

struct SqliteDatabase {
  std::filesystem::path path;
};
// A connection URI of libpq. It may hold a password: it is never printed.
struct PostgresDatabase {
  std::string url;
};
using Database = std::variant<SqliteDatabase, PostgresDatabase>;

// Where an organisation is: its data directory, and its database if that lies elsewhere.
struct Place {
  std::filesystem::path data_dir;
  std::optional<Database> database = {};
  std::optional<std::filesystem::path> signer = {};  // the socket of a signer that runs by itself

  // `database` is empty, "sqlite:PATH" or "postgresql://…", `signer` empty or a socket. kInvalidInput
  // "config.database".
  static Result<Place> from(const std::string& data_dir, const std::string& database, const std::string& signer);
};

// As `--database` takes it.
std::string to_string(const Database& database);

struct ListenAddress {
  std::string address;
  std::uint16_t port;
  static Result<ListenAddress> parse(std::string_view text);  // "127.0.0.1:8443", "[::1]:0"
};

// What `warifud serve` can be told, by flag, environment or file: the first that says something wins, then the default.
struct ServeSettings {
  std::optional<std::string> data_dir = {};
  std::optional<std::string> listen_devices = {};
  std::optional<std::string> listen_operators = {};
  std::optional<std::string> listen_compat = {};
  std::optional<std::string> listen_http = {};
  std::optional<std::string> certificates_base_url = {};
  std::optional<std::string> database = {};
  std::optional<std::string> signer = {};
  std::optional<std::string> assigned_hub = {};
  std::optional<std::string> log_level = {};
  // The file's table [limits]: whole numbers.
  std::optional<std::int64_t> address_rate = {};
  std::optional<std::int64_t> address_burst = {};
  std::optional<std::int64_t> registration_rate = {};
  std::optional<std::int64_t> registration_burst = {};
  std::optional<std::int64_t> wait_max_ms = {};
  std::optional<std::int64_t> waiting_max = {};
  std::optional<std::int64_t> unauthenticated_rate = {};
  std::optional<std::int64_t> unauthenticated_burst = {};
  std::optional<std::int64_t> connections_per_address = {};
  std::optional<std::int64_t> attestation_interval = {};  // seconds
  std::optional<std::int64_t> ldevid_hours = {};
  std::optional<std::int64_t> disk_alarm_mib = {};
  bool without_webhooks = false;  // the flag's only: it is for one run, of a copy
};

// Adds what the TOML file says to what is not set yet. kInvalidInput "config.…" with file, line and key; an unknown key
// is refused.
Status add_config_file(ServeSettings& settings, const std::filesystem::path& file);

// The settings, checked and complete.
struct ServeOptions {
  Place place;
  ListenAddress devices;
  ListenAddress operators;
  std::optional<std::string> assigned_hub;  // else the server's first name
  std::string log_level;
  std::optional<ListenAddress> compat =
      {};                                  // for clients that have no TLS 1.3: a separate door, closed unless asked for
  std::optional<ListenAddress> http = {};  // without TLS, for what protects itself; closed unless asked for
  front::RequestLimits device_limits = {};
  front::RequestLimits operator_limits = front::unauthenticated_limits();
  net::ListenerLimits listener_limits = {};  // of each listener
  std::chrono::seconds attestation_interval = verifier::kInterval;
  std::chrono::seconds ldevid_lifetime = device_ca::kLdevidLifetime;
  pki::RevocationPlaces places = {};                   // stand in certificates; empty: they name none
  std::optional<std::uint64_t> disk_alarm_below = {};  // bytes; see DiskWatch
  // False: events wait in the outbox, and none is sent.
  bool sends_webhooks = true;

  // What is allowed and may not be meant, in whole sentences.
  std::vector<std::string> warnings() const;

  static Result<ServeOptions> from(const ServeSettings& settings);
};

}  // namespace warifu::warifud
