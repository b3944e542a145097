#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <functional>

#include "net/signals.h"
#include "store/clock_guard.h"
#include "store/data_dir_lock.h"
#include "warifud/commands.h"
#include "warifud/node_certificate.h"
#include "warifud/organisation.h"
#include "warifud/service.h"
#include "warifud/signer_link.h"
#include "warifud/trust.h"

namespace warifu::warifud {
namespace {

// A request in flight may wait for one commit and one slow client.
constexpr std::chrono::seconds kDrainDeadline{10};

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

// So that it is known before a certificate ends, and the program is there also when its file is replaced later.
void meet(SignerLink& signer, const Organisation& organisation) {
  const auto met = check_signer(organisation, signer);
  if (!met) spdlog::warn("nothing can be certified now: {}", to_string(met.error()));
}

// Whether there is a new certificate.
bool renew_certificate(const Organisation& organisation, store::Store& store, SignerLink& signer, Outside& outside) {
  const auto done = renew_node(organisation, store, signer, {}, pki::kNodeLifetime, outside);
  if (!done) spdlog::error("certificate renewal failed, the next try is in a minute: {}", to_string(done.error()));
  return done.has_value();
}

// It may have expired while the server was off.
Status renew_if_due(const Organisation& organisation, store::Store& store, SignerLink& signer, Outside& outside) {
  TRY(const auto chain, organisation.data_dir.read_node_chain());
  if (outside.clock.now() >= pki::renewal_time(chain.front())) renew_certificate(organisation, store, signer, outside);
  return {};
}

// What the main thread does until it is told to stop: everything that may block.
Status run_until_stopped(net::Signals& signals, Service& service, const std::function<bool()>& renew,
                         const std::function<void()>& forget_signer) {
  for (;;) {
    switch (signals.wait()) {
      case SIGHUP:
        spdlog::info("reload");
        forget_signer();
        if (const auto done = service.reload(); !done) spdlog::error("reload: {}", to_string(done.error()));
        break;
      case Service::kHousekeepingSignal:
        if (service.is_renewal_due() && renew()) {
          if (const auto done = service.reload(); !done) spdlog::error("reload: {}", to_string(done.error()));
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
  Outside outside;
  TRY(const auto organisation, Organisation::open(options.place));
  TRY(const auto lock, store::DataDirLock::acquire(options.place.data_dir));
  TRY(const auto store, organisation.open_store(outside));
  TRY_STATUS(check_organisation(*store));
  TRY_STATUS(check_clock(*store, outside.clock));
  SignerLink signer(options.place);
  meet(signer, organisation);
  TRY_STATUS(renew_if_due(organisation, *store, signer, outside));
  TRY(auto trust, Trust::read(organisation.data_dir));
  TRY(const auto chain, organisation.data_dir.read_node_chain());
  TRY_STATUS(trust.check_chain(chain));

  // Before anything answers, so that no signal finds its default action; the main thread acts on them.
  net::Signals signals({SIGTERM, SIGINT, SIGHUP, Service::kHousekeepingSignal});
  TRY(const auto server_name, organisation.server_name());
  Service service(organisation, std::move(trust), *store, signer, outside, options, server_name);
  TRY(const auto endpoints, service.listen(options));
  service.start();
  const std::string compat = endpoints.compat ? fmt::format(" compat=https://{}", endpoints.compat->text()) : "";
  const std::string http = endpoints.http ? fmt::format(" http=http://{}", endpoints.http->text()) : "";
  fmt::print("warifud ready devices=https://{} operators=https://{}{}{}\n", endpoints.devices.text(),
             endpoints.operators.text(), compat, http);
  std::fflush(stdout);
  return run_until_stopped(
      signals, service, [&] { return renew_certificate(organisation, *store, signer, outside); },
      [&] { signer.end_own(); });
}

}  // namespace warifu::warifud
