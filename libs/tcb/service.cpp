#include "tcb/service.h"

#include "tcb_protocol/codec.h"

namespace warifu::tcb {

Service::Service(const Surroundings& surroundings, Trust trust, DeviceNames names)
    : world_(surroundings),
      trust_(std::move(trust)),
      names_(std::move(names)),
      time_(world_.clock, world_.files, world_.journal, world_.built_at),
      escrow_(world_.tpm, world_.files, world_.entropy, world_.journal),
      bundles_(world_.tpm, world_.files, world_.journal, trust_.root),
      certificates_(world_.tpm, world_.files, world_.journal),
      application_keys_(world_.tpm, world_.files, world_.journal) {
}

SecretBytes Service::answer(Caller caller, ByteView request_frame) {
  has_lost_tpm_ = false;
  return tcb_protocol::answer(
      request_frame, [&](auto&& request) { return noted(handle(caller, std::forward<decltype(request)>(request))); });
}

Status Service::check(Caller caller, const Rule& rule) const {
  if (allowed(caller, rule, server_check(caller).is_verified(world_.clock.now()))) return {};
  if (allowed(caller, rule, true))
    return Error{ErrorKind::kRefused, "tcb.server.unverified",
                 "the server must prove who it is before anything is said about the device"};
  return Error{ErrorKind::kRefused, "tcb.denied", "this is for the administrator of the device only"};
}

}  // namespace warifu::tcb
