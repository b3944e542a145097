#include "agent/contact.h"

#include <fmt/format.h>

#include "agent/care.h"
#include "agent/provisioner.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {

Result<Registration> Contact::make(Registering registering) {
  retry_after_.reset();
  auto registration = make_on_connection(registering);
  outside_.transport.close();
  return registration;
}

Result<Registration> Contact::make_on_connection(Registering registering) {
  Care care(outside_);
  proved_at_ = outside_.clock.now();
  TRY(auto escrow_chain, meet(outside_, follower_));
  TRY(const auto device, tcb_protocol::call(outside_.tcb, tcb_protocol::Identity{}));
  outside_.progress.step(2, fmt::format("the TPM showed its keys: registration ID {}, ID scope {}",
                                        device.registration_id, device.id_scope));
  TRY(auto registration, registered(registering, device));
  // Not before: the TPM of a device that the organisation does not know is not the organisation's.
  care.own(std::move(escrow_chain));
  care.deliver();
  return registration;
}

Result<Registration> Contact::registered(Registering registering, const tcb_protocol::Identity::Answer& device) {
  std::string unreadable;
  TRY(auto known, load_registration(outside_.files, unreadable));
  if (!unreadable.empty()) outside_.progress.note(unreadable);
  if (registering == Registering::kAlways || device.device_id.empty()) {
    if (known && device.device_id.empty())
      outside_.progress.note(
          fmt::format("the identity {} is gone (was the TPM cleared?): provisioning anew", known->device_id));
    Provisioner provisioner(outside_, proved_at_, attestor_);
    auto fresh = provisioner.provision(device);
    retry_after_ = provisioner.retry_after();
    if (fresh) TRY_STATUS(save(outside_.files, *fresh));
    return fresh;
  }
  // A power cut between the TCB's state and ours.
  Registration current{device.assigned_hub, device.device_id, device.id_scope, device.registration_id,
                       known ? known->assigned_at : to_rfc3339(outside_.clock.now())};
  if (known != current) TRY_STATUS(save(outside_.files, current));
  return current;
}

}  // namespace warifu::agent
