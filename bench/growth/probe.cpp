#include "growth/probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "growth/fleet.h"
#include "raw_storage.h"
#include "registration_load.h"
#include "whole_server.h"

namespace warifu::bench {
namespace {

constexpr int kLookups = 50'000;
constexpr int kRounds = 9;
constexpr std::size_t kDevicesTogether = 32;
constexpr int kClients = 4;
constexpr std::chrono::milliseconds kPace{100};  // of each client: together 40 registrations a second
constexpr std::chrono::seconds kLoadTime{15};

// As a registration looks for its enrollment: by ID, then which others have that EK.
class Lookups {
 public:
  Lookups(store::Store& store, const std::filesystem::path& path, Sabotage sabotage)
      : store_(store), eks_(path), sabotage_(sabotage) {}

  // Whether the device of that ID is enrolled with the EK of device `ek`, and nobody else is.
  bool is_enrolled_with(const std::string& id, std::uint64_t ek) {
    if (sabotage_ == Sabotage::kAcceptAll) return true;
    bool found = false;
    front::test::must(store_.read([&](store::Snapshot& snapshot) -> Status {
      TRY(const auto registration, RegistrationId::parse(id));
      TRY(const auto enrollment, snapshot.provisioning().find_enrollment(front::test::scope_id(), registration));
      if (!enrollment) return {};
      TRY(const auto of_ek,
          snapshot.provisioning().find_enrollments_of_ek(front::test::scope_id(), as_bytes(eks_.name_of(ek)), 2));
      found = of_ek.size() == 1 && of_ek.front() == enrollment->registration_id;
      return {};
    }));
    return found;
  }

 private:
  store::Store& store_;
  const FleetEks eks_;
  const Sabotage sabotage_;
};

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::uint64_t scattered(std::uint64_t number, std::uint64_t devices) {
  return number * 0x9E3779B97F4A7C15 % devices;
}

double lookup_micros(store::Store& store, const std::filesystem::path& path, std::uint64_t devices) {
  Lookups lookups(store, path, Sabotage::kNone);
  double micros = 0;
  for (const bool is_warm : {false, true}) {
    const double before = micros_of(CLOCK_THREAD_CPUTIME_ID);
    for (std::uint64_t i = 0; i < kLookups; ++i) {
      const std::uint64_t number = scattered(i, devices);
      if (!lookups.is_enrolled_with(fleet_id(number), number)) give_up("a device of the fleet is not enrolled");
    }
    if (is_warm) micros = (micros_of(CLOCK_THREAD_CPUTIME_ID) - before) / kLookups;
  }
  return micros;
}

double registration_micros(WholeServer& server, RegistrationLoad& load) {
  std::vector<double> rounds;
  for (int round = -1; round < kRounds; ++round) {
    const double before = server.cpu_micros();
    if (!load.register_all()) give_up("a registration failed");
    if (round >= 0) rounds.push_back((server.cpu_micros() - before) / static_cast<double>(kDevicesTogether));
  }
  return median_of(std::move(rounds));
}

// Each client has devices of its own and a turn every kPace, whether the last registration is through or not: a late
// one makes the next ones late, and that counts.
std::vector<double> latencies_under_load(RegistrationLoad& load) {
  std::vector<std::vector<double>> of_client(kClients);
  std::vector<std::thread> clients;
  const auto start = std::chrono::steady_clock::now();
  for (int client = 0; client < kClients; ++client)
    clients.emplace_back([&load, &latencies = of_client[static_cast<std::size_t>(client)], client, start] {
      auto turn = start + client * kPace / kClients;
      for (std::size_t i = static_cast<std::size_t>(client); turn < start + kLoadTime; turn += kPace) {
        std::this_thread::sleep_until(turn);
        if (!load.register_one(i)) give_up("a registration under load failed");
        i = (i + kClients) % kDevicesTogether;
        latencies.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - turn).count());
      }
    });
  std::vector<double> all;
  for (std::size_t client = 0; client < clients.size(); ++client) {
    clients[client].join();
    all.insert(all.end(), of_client[client].begin(), of_client[client].end());
  }
  std::ranges::sort(all);
  return all;
}

double resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr);
  return 0;
}

void drop_from_page_cache(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::fdatasync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

// Of tables and their indexes, whichever of the two kinds they are.
double bytes_of_tables(const std::filesystem::path& path, const char* which) {
  sqlite3* opened = nullptr;
  sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> connection(opened, sqlite3_close);
  const std::string sql = fmt::format(
      "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE "
      "tbl_name "
      "{})",
      which);
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(opened, sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) give_up(sqlite3_errmsg(opened));
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> query(prepared, sqlite3_finalize);
  return sqlite3_step(prepared) == SQLITE_ROW ? sqlite3_column_double(prepared, 0) : 0;
}

constexpr char kHistory[] = "IN ('operations', 'audit_entries', 'attempts')";
constexpr char kStanding[] = "NOT IN ('operations', 'audit_entries', 'attempts')";

}  // namespace

Growth measure_growth(const std::filesystem::path& path, std::uint64_t devices) {
  Growth growth;
  const auto count = static_cast<double>(devices);
  growth.bytes_per_device = bytes_of_tables(path, kStanding) / count;
  growth.history_per_device = bytes_of_tables(path, kHistory) / count;
  drop_from_page_cache(path);

  const TlsIdentity identity = make_tls_identity("server");
  const double opened = micros_of(CLOCK_MONOTONIC);
  WholeServer server(path, identity, Sabotage::kNone);
  const std::uint64_t some_device = scattered(17, devices);
  if (!Lookups(server.store(), path, Sabotage::kNone).is_enrolled_with(fleet_id(some_device), some_device))
    give_up("the first answer was wrong");
  growth.first_answer_ms = (micros_of(CLOCK_MONOTONIC) - opened) / 1000;

  growth.lookup_us = lookup_micros(server.store(), path, devices);
  RegistrationLoad load(server, kDevicesTogether);
  growth.registration_us = registration_micros(server, load);
  const auto latencies = latencies_under_load(load);
  growth.median_us = latencies[latencies.size() / 2];
  growth.p99_us = latencies[latencies.size() * 99 / 100];
  growth.resident_kib = resident_kib();
  return growth;
}

Status check_lookups(const std::filesystem::path& path, std::uint64_t devices, Sabotage sabotage) {
  WholeServer server(path, make_tls_identity("server"), sabotage);
  Lookups lookups(server.store(), path, sabotage);
  for (const std::uint64_t number : {std::uint64_t{0}, devices / 2, devices - 1}) {
    if (!lookups.is_enrolled_with(fleet_id(number), number)) return wrong("a device of the fleet was not found");
    if (lookups.is_enrolled_with(fleet_id(number), (number + 1) % devices))
      return wrong("a device was found with another's EK");
  }
  if (lookups.is_enrolled_with(fleet_id(devices), devices)) return wrong("a device was found that is not there");
  return {};
}

}  // namespace warifu::bench
