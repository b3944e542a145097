#include "warifud/options.h"

#include <fmt/format.h>

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "front/revocation/revocation_api.h"
#include "pki/authority.h"

namespace warifu::warifud {
namespace {

constexpr std::string_view kDevicesDefault = "127.0.0.1:8443";
constexpr std::string_view kSqlite = "sqlite:";
constexpr std::array<std::string_view, 2> kPostgres = {"postgresql://", "postgres://"};
constexpr std::string_view kOperatorsDefault = "127.0.0.1:9443";
constexpr std::array<std::string_view, 5> kLogLevels = {"debug", "info", "warning", "error", "off"};

struct Key {
  std::string_view path;
  std::optional<std::string> ServeSettings::*setting;
};

struct NumberKey {
  std::string_view path;
  std::optional<std::int64_t> ServeSettings::*setting;
};

constexpr std::array kKeys = {
    Key{"data_dir", &ServeSettings::data_dir},
    Key{"database", &ServeSettings::database},
    Key{"signer", &ServeSettings::signer},
    Key{"listen.devices", &ServeSettings::listen_devices},
    Key{"listen.operators", &ServeSettings::listen_operators},
    Key{"listen.compat", &ServeSettings::listen_compat},
    Key{"listen.http", &ServeSettings::listen_http},
    Key{"certificates.base_url", &ServeSettings::certificates_base_url},
    Key{"provisioning.assigned_hub", &ServeSettings::assigned_hub},
    Key{"log.level", &ServeSettings::log_level},
};

constexpr std::array kNumberKeys = {
    NumberKey{"limits.address_rate", &ServeSettings::address_rate},
    NumberKey{"limits.address_burst", &ServeSettings::address_burst},
    NumberKey{"limits.registration_rate", &ServeSettings::registration_rate},
    NumberKey{"limits.registration_burst", &ServeSettings::registration_burst},
    NumberKey{"limits.wait_max_ms", &ServeSettings::wait_max_ms},
    NumberKey{"limits.waiting_max", &ServeSettings::waiting_max},
    NumberKey{"limits.unauthenticated_rate", &ServeSettings::unauthenticated_rate},
    NumberKey{"limits.unauthenticated_burst", &ServeSettings::unauthenticated_burst},
    NumberKey{"limits.connections_per_address", &ServeSettings::connections_per_address},
    NumberKey{"attestation.interval_seconds", &ServeSettings::attestation_interval},
    NumberKey{"certificates.ldevid_hours", &ServeSettings::ldevid_hours},
    NumberKey{"disk.alarm_below_mib", &ServeSettings::disk_alarm_mib},
};

constexpr std::int64_t kRateMax = 1'000'000;
// Above it the SDKs give up: they wait for 30 s, and the network takes its part.
constexpr std::int64_t kWaitMaxMs = 20'000;
// The requests that a listener lets be in flight.
constexpr std::int64_t kWaitingMax = 1'024;

std::string place(const std::filesystem::path& file, const toml::source_region& source) {
  return fmt::format("{}, line {}", file.string(), source.begin.line);
}

bool is_table(const std::string& path) {
  const auto is_in = [&](const auto& key) { return key.path.starts_with(path + "."); };
  return std::ranges::any_of(kKeys, is_in) || std::ranges::any_of(kNumberKeys, is_in);
}

// Sets the setting of `keys` that has this path, if one has.
template <class T, class Keys>
Result<bool> add_value(ServeSettings& settings, const Keys& keys, const std::string& path, const toml::node& node,
                       std::string_view kind, const std::filesystem::path& file) {
  const auto* key = std::ranges::find_if(keys, [&](const auto& candidate) { return candidate.path == path; });
  if (key == keys.end()) return false;
  const auto value = node.value_exact<T>();
  if (!value)
    return invalid_input("config.type", fmt::format("the setting \"{}\" is a {}", path, kind),
                         place(file, node.source()));
  auto& setting = settings.*(key->setting);
  if (!setting) setting = *value;
  return true;
}

Status add_table(ServeSettings& settings, const toml::table& table, const std::string& prefix,
                 const std::filesystem::path& file) {
  for (const auto& [name, node] : table) {
    const std::string path = prefix + std::string(name.str());
    const auto* inner = node.as_table();
    if (inner != nullptr && is_table(path)) {
      TRY_STATUS(add_table(settings, *inner, path + ".", file));
      continue;
    }
    TRY(bool is_known, add_value<std::string>(settings, kKeys, path, node, "text", file));
    if (!is_known) {
      TRY(is_known, add_value<std::int64_t>(settings, kNumberKeys, path, node, "whole number", file));
    }
    if (!is_known)
      return invalid_input("config.unknown", fmt::format("there is no setting \"{}\"", path),
                           place(file, node.source()));
  }
  return {};
}

// Puts the setting, if there is one, into `value`. kInvalidInput "config.limits" outside 1 to `most`.
template <class T>
Status set_limit(T& value, std::string_view name, const std::optional<std::int64_t>& setting, std::int64_t most) {
  if (!setting) return {};
  if (*setting < 1 || *setting > most)
    return invalid_input("config.limits", fmt::format("limits.{} is from 1 to {}, not {}", name, most, *setting));
  value = T(*setting);
  return {};
}

Status set_rate(front::Rate& rate, std::string_view name, const std::optional<std::int64_t>& per_second,
                const std::optional<std::int64_t>& burst) {
  TRY_STATUS(set_limit(rate.per_second, fmt::format("{}_rate", name), per_second, kRateMax));
  return set_limit(rate.burst, fmt::format("{}_burst", name), burst, kRateMax);
}

// 0 is no limit but that of all connections.
Status set_connections(net::ListenerLimits& limits, const std::optional<std::int64_t>& per_address) {
  if (per_address == 0) {
    limits.connections_per_address = limits.connections;
    return {};
  }
  return set_limit(limits.connections_per_address, "connections_per_address", per_address,
                   static_cast<std::int64_t>(limits.connections));
}

Status set_limits(ServeOptions& options, const ServeSettings& settings) {
  auto& devices = options.device_limits;
  auto& operators = options.operator_limits;
  TRY_STATUS(set_rate(devices.address, "address", settings.address_rate, settings.address_burst));
  TRY_STATUS(set_rate(devices.registration, "registration", settings.registration_rate, settings.registration_burst));
  TRY_STATUS(
      set_rate(operators.address, "unauthenticated", settings.unauthenticated_rate, settings.unauthenticated_burst));
  TRY_STATUS(set_connections(options.listener_limits, settings.connections_per_address));
  TRY_STATUS(set_limit(devices.wait_max, "wait_max_ms", settings.wait_max_ms, kWaitMaxMs));
  TRY_STATUS(set_limit(devices.waiting_max, "waiting_max", settings.waiting_max, kWaitingMax));
  devices.waiting_per_address_max = (devices.waiting_max + 1) / 2;
  if (devices.registration.burst < devices.challenge_cost)
    return invalid_input("config.limits",
                         fmt::format("limits.registration_burst is at least {}, what a challenge costs, not {}",
                                     devices.challenge_cost, devices.registration.burst));
  return {};
}

// What certificates say of where others may ask about them. Whoever asks has nothing yet: it is best plain HTTP, as
// what is told is signed, and a TLS certificate could not be checked without asking (RFC 5280 §8).
Status set_places(ServeOptions& options, const ServeSettings& settings) {
  if (!settings.certificates_base_url) return {};
  const std::string& base = *settings.certificates_base_url;
  const auto refuse = [&](std::string_view why) {
    return invalid_input("config.certificates",
                         fmt::format("certificates.base_url is like http://pki.example.com, {}, not {:?}", why, base));
  };
  constexpr std::size_t kBaseSizeMax = 200;  // the signer takes places of 256
  if (base.size() > kBaseSizeMax) return refuse(fmt::format("and has at most {} characters", kBaseSizeMax));
  const auto url = boost::urls::parse_absolute_uri({base.data(), base.size()});
  if (!url || (url->scheme() != "http" && url->scheme() != "https")) return refuse("a URL of http or https");
  if (url->encoded_host().empty() || url->has_userinfo()) return refuse("with a host, and without a user");
  if (url->has_query() || base.ends_with('/')) return refuse("without a query, and without a slash at its end");
  options.places = {.crl_url = fmt::format("{}{}", base, front::revocation::kCrlPath),
                    .ocsp_url = fmt::format("{}{}", base, front::revocation::kOcspPath),
                    .issuer_url = fmt::format("{}{}", base, front::revocation::kIssuerPath)};
  return {};
}

// Long enough to be renewed twice over a weekend; as short as a test needs it.
Status set_certificates(ServeOptions& options, const ServeSettings& settings) {
  if (!settings.ldevid_hours) return {};
  constexpr std::int64_t kHoursMax = device_ca::kLdevidLifetimeMax.count();
  if (*settings.ldevid_hours < 1 || *settings.ldevid_hours > kHoursMax)
    return invalid_input("config.certificates", fmt::format("certificates.ldevid_hours is from 1 to {}, not {}",
                                                            kHoursMax, *settings.ldevid_hours));
  options.ldevid_lifetime = std::chrono::hours(*settings.ldevid_hours);
  return {};
}

Status set_attestation(ServeOptions& options, const ServeSettings& settings) {
  if (!settings.attestation_interval) return {};
  const std::chrono::seconds interval{*settings.attestation_interval};
  if (interval < verifier::kIntervalMin || interval > verifier::kIntervalMax)
    return invalid_input("config.attestation",
                         fmt::format("attestation.interval_seconds is from {} to {}, not {}",
                                     verifier::kIntervalMin.count(), verifier::kIntervalMax.count(), interval.count()));
  options.attestation_interval = interval;
  return {};
}

Status set_disk_alarm(ServeOptions& options, const ServeSettings& settings) {
  if (!settings.disk_alarm_mib) return {};
  constexpr std::int64_t kMebibytesMax = std::int64_t{1} << 40;
  if (*settings.disk_alarm_mib < 0 || *settings.disk_alarm_mib > kMebibytesMax)
    return invalid_input("config.disk", fmt::format("disk.alarm_below_mib is from 0 to {}, not {}", kMebibytesMax,
                                                    *settings.disk_alarm_mib));
  options.disk_alarm_below = static_cast<std::uint64_t>(*settings.disk_alarm_mib) << 20;
  return {};
}

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  const auto refuse = [&] {
    return invalid_input("listen.address",
                         fmt::format("\"{}\" is not ADDRESS:PORT, like 127.0.0.1:8443 or [::1]:8443", text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  std::string_view address = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (address.empty() || error != std::errc() || end != port_text.data() + port_text.size()) return refuse();
  return ListenAddress{std::string(address), port};
}

Status add_config_file(ServeSettings& settings, const std::filesystem::path& file) {
  try {
    return add_table(settings, toml::parse_file(file.string()), "", file);
  } catch (const toml::parse_error& error) {
    return invalid_input("config.syntax", std::string(error.description()), place(file, error.source()));
  }
}

Result<Place> Place::from(const std::string& data_dir, const std::string& database, const std::string& signer) {
  Place place{.data_dir = data_dir};
  if (!signer.empty()) place.signer = signer;
  if (database.empty()) return place;
  if (database.starts_with(kSqlite)) {
    place.database = SqliteDatabase{database.substr(kSqlite.size())};
    return place;
  }
  if (std::ranges::any_of(kPostgres, [&](std::string_view scheme) { return database.starts_with(scheme); })) {
    place.database = PostgresDatabase{database};
    return place;
  }
  // What came is not repeated: it may hold a password.
  return invalid_input("config.database", "the database is sqlite:PATH or postgresql://[USER@]HOST[:PORT]/NAME");
}

std::string to_string(const Database& database) {
  if (const auto* postgres = std::get_if<PostgresDatabase>(&database)) return postgres->url;
  return std::string(kSqlite) + std::get<SqliteDatabase>(database).path.string();
}

Result<ServeOptions> ServeOptions::from(const ServeSettings& settings) {
  if (!settings.data_dir) return invalid_input("config.data_dir", "which data directory? Use --data-dir DIR");
  TRY(auto place, Place::from(*settings.data_dir, settings.database.value_or(""), settings.signer.value_or("")));
  TRY(auto devices, ListenAddress::parse(settings.listen_devices.value_or(std::string(kDevicesDefault))));
  TRY(auto operators, ListenAddress::parse(settings.listen_operators.value_or(std::string(kOperatorsDefault))));
  ServeOptions options{std::move(place), std::move(devices), std::move(operators), settings.assigned_hub,
                       settings.log_level.value_or("info")};
  if (settings.listen_compat) {
    TRY(options.compat, ListenAddress::parse(*settings.listen_compat));
  }
  if (settings.listen_http) {
    TRY(options.http, ListenAddress::parse(*settings.listen_http));
  }
  TRY_STATUS(set_limits(options, settings));
  TRY_STATUS(set_attestation(options, settings));
  TRY_STATUS(set_certificates(options, settings));
  TRY_STATUS(set_places(options, settings));
  TRY_STATUS(set_disk_alarm(options, settings));
  options.sends_webhooks = !settings.without_webhooks;
  // Devices take it as it stands for the name of a host.
  if (options.assigned_hub) TRY_STATUS(pki::ServerNames::parse({*options.assigned_hub}));
  if (std::ranges::find(kLogLevels, options.log_level) == kLogLevels.end())
    return invalid_input("config.log_level", fmt::format("the log level is one of {}", fmt::join(kLogLevels, ", ")));
  return options;
}

std::vector<std::string> ServeOptions::warnings() const {
  std::vector<std::string> warnings;
  if (listener_limits.connections_per_address >= listener_limits.connections)
    warnings.push_back(fmt::format(
        "limits.connections_per_address lets one address take all {} connections of a listener: only behind a load "
        "balancer that limits them itself",
        listener_limits.connections));
  return warnings;
}

}  // namespace warifu::warifud
