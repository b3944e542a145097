#pragma once

#include <memory>
#include <optional>

#include "front/test_device.h"
#include "front/test_server.h"
#include "sim/deterministic.h"
#include "sim/power_loss_vfs.h"
#include "sim/software_tpm.h"
#include "store/sqlite_store.h"

namespace warifu::scenarios {

using TestDevice = front::test::Device<sim::SoftwareTpm>;
using front::test::member;

// A server on a disk that can fail, and the two TPMs of tests/vectors/tpm. Everything follows from the seed.
class SimulatedSite {
 public:
  explicit SimulatedSite(std::uint64_t seed) : entropy_(seed) {}

  // Starts the server as a new process would: what was in memory is gone. False if its database does not open.
  bool start() {
    stop();
    auto opened = store::SqliteStore::open(
        {.path = "warifu.sqlite3", .clock = clock_, .entropy = entropy_, .vfs = vfs_.name(), .readers = 1});
    if (!opened) return false;
    process_ = std::make_unique<Process>(*std::move(opened), clock_, entropy_, organisation_);
    return true;
  }
  void stop() { process_.reset(); }
  // The power fails, now if it did not by itself, and comes back.
  void lose_power(std::uint64_t seed) {
    if (disk_.has_power()) disk_.cut(seed);
    stop();
    disk_.restore();
  }

  front::test::Server& server() { return process_->server; }
  sim::PowerLossDisk& disk() { return disk_; }
  sim::SteppingClock& clock() { return clock_; }
  // Even numbers have one TPM, odd ones the other.
  TestDevice device(std::size_t number) {
    return {process_->server, clock_, tpm(number), "meter-" + std::to_string(number)};
  }
  static const sim::SoftwareTpm& tpm(std::size_t number) {
    static const auto a = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a").value();
    static const auto b = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "b").value();
    return number % 2 == 0 ? a : b;
  }
  void make_scope_with(std::size_t devices) {
    front::test::must(server().make_scope());
    for (std::size_t i = 0; i < devices; ++i)
      front::test::must(server().enroll("meter-" + std::to_string(i), tpm(i).ek()));
  }
  Result<store::SqliteConnection> inspect_database() {
    return store::SqliteConnection::open("warifu.sqlite3", store::SqliteConnection::Mode::kExisting, vfs_.name());
  }

 private:
  // Its signer has a disk of its own.
  using Organisation = std::shared_ptr<const device_ca::test::OrganisationKeys>;
  struct Process {
    Process(std::unique_ptr<store::SqliteStore> opened, const Clock& clock, Entropy& entropy, const Organisation& keys)
        : store(std::move(opened)), server(*store, clock, entropy, {.hubs = {"hub.example"}}, {}, keys) {}
    std::unique_ptr<store::SqliteStore> store;
    front::test::Server server;
  };

  sim::PowerLossDisk disk_;
  sim::PowerLossVfs vfs_{disk_};
  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_;
  const Organisation organisation_ = std::make_shared<const device_ca::test::OrganisationKeys>();
  std::unique_ptr<Process> process_;
};

}  // namespace warifu::scenarios
