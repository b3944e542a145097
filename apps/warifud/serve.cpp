#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>

#include "net/signals.h"
#include "process/child.h"
#include "store/data_dir_lock.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"
#include "warifud/service.h"

namespace warifu::warifud {
namespace {

// A request in flight may wait for one commit and one slow client.
constexpr std::chrono::seconds kDrainDeadline{10};

// Requests refused by an old clock would leave certificates and audit entries in a wrong order.
Status check_clock(store::Store& store, const Clock& clock) {
  TRY(const auto latest, store.latest_audit_at());
  if (latest && clock.now() < *latest)
    return Error{ErrorKind::kUnavailable, "clock.behind",
                 fmt::format("this machine's clock says {}, but the audit log goes on until {}: set the clock first",
                             to_rfc3339(clock.now()), to_rfc3339(*latest))};
  return {};
}

// A crash must not write keys to a core file.
void forbid_core_dumps() {
  if (prctl(PR_SET_DUMPABLE, 0) != 0) spdlog::warn("core dumps could not be forbidden");
}

// In a program of its own, so that this process never reads the role's key.
void renew_certificate_in_child(const ServeOptions& options) {
  const auto path = process::own_path();
  if (!path) return spdlog::error("certificate renewal: {}", to_string(path.error()));
  const auto code = process::run({*path, "certificate", "renew", "--data-dir", options.data_dir.string()});
  if (!code) return spdlog::error("certificate renewal: {}", to_string(code.error()));
  if (*code != 0) spdlog::error("certificate renewal failed with exit code {}; the next try is in a minute", *code);
}

// What the main thread does until it is told to stop: everything that may block.
Status run_until_stopped(net::Signals& signals, Service& service, const ServeOptions& options) {
  for (;;) {
    switch (signals.wait()) {
      case SIGHUP:
        spdlog::info("reload");
        if (const auto done = service.reload_certificate(); !done) spdlog::error("reload: {}", to_string(done.error()));
        break;
      case Service::kHousekeepingSignal:
        if (service.is_renewal_due()) {
          renew_certificate_in_child(options);
          if (const auto done = service.reload_certificate(); !done) spdlog::error("reload: {}", to_string(done.error()));
        }
        service.clean_up();
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
  forbid_core_dumps();
  Outside outside;
  TRY(const auto organisation, Organisation::open(options.data_dir));
  TRY(const auto lock, store::DataDirLock::acquire(options.data_dir));
  TRY(const auto store, organisation.open_store(outside, options.database));
  TRY_STATUS(check_clock(*store, outside.clock));

  // Before the first thread, so that every thread leaves these signals to the main one.
  net::Signals signals({SIGTERM, SIGINT, SIGHUP, Service::kHousekeepingSignal});
  TRY(const auto server_name, organisation.server_name());
  Service service(organisation, *store, outside, options, server_name);
  TRY(const auto endpoints, service.listen(options));
  service.start();
  fmt::print("warifud ready devices=https://{} operators=https://{}\n", endpoints.devices.text(), endpoints.operators.text());
  std::fflush(stdout);
  return run_until_stopped(signals, service, options);
}

}  // namespace warifu::warifud
