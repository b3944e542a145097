#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "net/signals.h"
#include "process/child.h"
#include "store/clock_guard.h"
#include "store/data_dir_lock.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"
#include "warifud/service.h"

namespace warifu::warifud {
namespace {

// A request in flight may wait for one commit and one slow client.
constexpr std::chrono::seconds kDrainDeadline{10};
constexpr const char* kDatabaseVariable = "WARIFU_DATABASE";

// With an old clock certificates and audit entries would stand in a wrong order. Another node's clock may be a little
// ahead.
Status check_clock(store::Store& store, const Clock& clock) {
  TRY(const auto latest, store.latest_audit_at());
  store::ClockGuard guard;
  guard.learn(latest);
  return guard.check(clock.now());
}

// A database without a scope was never init's: an empty file in its place, or a wrong path. Serving it would refuse
// every device.
Status check_organisation(store::Store& store) {
  bool is_empty = false;
  TRY_STATUS(store.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto scopes, snapshot.provisioning().list_scopes());
    is_empty = scopes.empty();
    return {};
  }));
  if (is_empty)
    return Error{ErrorKind::kNotFound, "scope.none",
                 "the database holds no organisation: name the right one, or restore a backup"};
  return {};
}

// Each connection needs a descriptor, and the usual soft limit of 1,024 would let so many silent clients keep out all
// others.
void raise_file_limit() {
  struct rlimit files {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) spdlog::warn("the number of open files could not be raised");
}

// By the environment and not by an argument, which every user of this machine could read: it may hold a password.
// Before the first thread.
void tell_children_the_database(const Place& place) {
  if (place.database)
    ::setenv(kDatabaseVariable, to_string(*place.database).c_str(), 1);
  else
    ::unsetenv(kDatabaseVariable);
}

// In a program of its own, so that this process never reads the role's key. Whether there is a new certificate.
bool renew_certificate_in_child(const ServeOptions& options) {
  const std::vector<std::string> command = {process::kThisProgram, "certificate", "renew", "--data-dir",
                                            options.place.data_dir.string()};
  const auto code = process::run(command);
  if (!code) {
    spdlog::error("certificate renewal: {}", to_string(code.error()));
    return false;
  }
  if (*code != 0) spdlog::error("certificate renewal failed with exit code {}; the next try is in a minute", *code);
  return *code == 0;
}

// Its certificate may have expired while the server was off.
Status renew_if_due(const Organisation& organisation, const Clock& clock, const ServeOptions& options) {
  TRY(const auto chain, organisation.data_dir.read_node_chain());
  if (clock.now() >= pki::renewal_time(chain.front())) renew_certificate_in_child(options);
  return {};
}

// What the main thread does until it is told to stop: everything that may block.
Status run_until_stopped(net::Signals& signals, Service& service, const ServeOptions& options) {
  for (;;) {
    switch (signals.wait()) {
      case SIGHUP:
        spdlog::info("reload");
        if (const auto done = service.reload_certificates(); !done)
          spdlog::error("reload: {}", to_string(done.error()));
        break;
      case Service::kHousekeepingSignal:
        if (service.is_renewal_due() && renew_certificate_in_child(options)) {
          if (const auto done = service.reload_certificates(); !done)
            spdlog::error("reload: {}", to_string(done.error()));
        }
        service.clean_up();
        service.watch();
        break;
      default:
        spdlog::info("stopping: requests in flight have {} s to end", kDrainDeadline.count());
        service.drain(kDrainDeadline);
        return {};
    }
  }
}

}  // namespace

Status serve(const ServeOptions& options) {
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  raise_file_limit();
  for (const std::string& warning : options.warnings())
    spdlog::warn("{}", warning);
  tell_children_the_database(options.place);
  Outside outside;
  TRY(const auto organisation, Organisation::open(options.place));
  TRY(const auto lock, store::DataDirLock::acquire(options.place.data_dir));
  TRY(const auto store, organisation.open_store(outside));
  TRY_STATUS(check_organisation(*store));
  TRY_STATUS(check_clock(*store, outside.clock));
  TRY_STATUS(renew_if_due(organisation, outside.clock, options));

  // Before anything answers, so that no signal finds its default action; the main thread acts on them.
  net::Signals signals({SIGTERM, SIGINT, SIGHUP, Service::kHousekeepingSignal});
  TRY(const auto server_name, organisation.server_name());
  Service service(organisation, *store, outside, options, server_name);
  TRY(const auto endpoints, service.listen(options));
  service.start();
  const std::string compat = endpoints.compat ? fmt::format(" compat=https://{}", endpoints.compat->text()) : "";
  fmt::print("warifud ready devices=https://{} operators=https://{}{}\n", endpoints.devices.text(),
             endpoints.operators.text(), compat);
  std::fflush(stdout);
  return run_until_stopped(signals, service, options);
}

}  // namespace warifu::warifud
